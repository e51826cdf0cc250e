package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unsafe"

	"github.com/clipcap-go/clipcap/internal/half"
	"github.com/clipcap-go/clipcap/nn"
)

// Item is a tensor to be written.
type Item struct {
	Name  string
	DType DType
	Shape []int
	// alias names the item whose numbers this one shares, "" for none.
	alias string
	write func(w io.Writer) error
}

// Floats is an item of float32 numbers, rounded to dtype, a floating-point type, when they are written.
func Floats(name string, shape []int, data []float32, dtype DType) Item {
	return Item{Name: name, DType: dtype, Shape: shape, write: func(w io.Writer) error {
		if n, err := numel(shape); err != nil || n != len(data) {
			return fmt.Errorf("%d numbers for shape %v", len(data), shape)
		}
		return writeFloats(w, data, dtype)
	}}
}

// OfParams are the items of a model's parameters, named as they are.
func OfParams(params nn.Params, dtype DType) []Item {
	var all []Item
	for _, p := range params {
		all = append(all, Floats(p.Name, p.Shape, p.Data, dtype))
	}
	return all
}

// Copy is an item of another file's tensors, one below the other where they are several. dtype 0 keeps the type; another one converts
// floating-point numbers, and only those.
func Copy(name string, dtype DType, parts ...*Tensor) (Item, error) {
	first := parts[0]
	shape := slices.Clone(first.Shape)
	for _, t := range parts[1:] {
		if len(shape) == 0 || len(t.Shape) != len(shape) || !slices.Equal(t.Shape[1:], shape[1:]) || t.DType != first.DType {
			return Item{}, fmt.Errorf("write %s: %s %v below %s %v", name, t.DType, t.Shape, first.DType, first.Shape)
		}
		shape[0] += t.Shape[0]
	}
	if dtype == 0 || !first.DType.Float() {
		dtype = first.DType
	}
	return Item{Name: name, DType: dtype, Shape: shape, write: func(w io.Writer) error {
		for _, t := range parts {
			if err := t.writeAs(w, dtype); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// Raw is an item whose bytes, little-endian and row-major, write hands over.
func Raw(name string, dtype DType, shape []int, write func(w io.Writer) error) Item {
	return Item{Name: name, DType: dtype, Shape: shape, write: write}
}

// Alias is an item that shares the numbers of another one, as a tied head does. Formats that cannot say so write them twice.
func Alias(name string, of Item) Item {
	return Item{Name: name, DType: of.DType, Shape: of.Shape, alias: of.Name, write: of.write}
}

// CopyAll are the items of tensors under their own names; those that are the same view of the same storage become aliases.
func CopyAll(tensors []*Tensor, dtype DType) ([]Item, error) {
	type place struct {
		data   *storage
		offset int
	}
	var items []Item
	seen := map[place]int{}
	for i, t := range tensors {
		item, err := Copy(t.Name, dtype, t)
		if err != nil {
			return nil, err
		}
		at := place{t.data, t.offset}
		if first, ok := seen[at]; ok && tensors[first].sameNumbers(t) {
			item = Alias(t.Name, items[first])
		} else if !ok {
			seen[at] = i
		}
		items = append(items, item)
	}
	return items, nil
}

// size is the number of bytes of the item.
func (e Item) size() (int64, error) {
	n, err := numel(e.Shape)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", e.Name, err)
	}
	if e.DType < F64 || e.DType > Bool {
		return 0, fmt.Errorf("write %s: %s", e.Name, e.DType)
	}
	return int64(n) * int64(e.DType.Size()), nil
}

// checkItems refuses names that come twice and aliases of nothing.
func checkItems(items []Item) error {
	seen := map[string]bool{}
	for _, e := range items {
		if seen[e.Name] || e.Name == "" || e.Name == "__metadata__" {
			return fmt.Errorf("write: the name %q comes twice, is empty or taken", e.Name)
		}
		if e.alias != "" && !seen[e.alias] {
			return fmt.Errorf("write %s: it shares the numbers of %q, which does not come before it", e.Name, e.alias)
		}
		seen[e.Name] = true
		if _, err := e.size(); err != nil {
			return err
		}
	}
	return nil
}

// put writes the item's numbers, and checks that they are as many as its shape says.
func (e Item) put(w io.Writer) error {
	want, err := e.size()
	if err != nil {
		return err
	}
	c := &counter{w: w}
	if err := e.write(c); err != nil {
		return fmt.Errorf("write %s: %w", e.Name, err)
	}
	if c.n != want {
		return fmt.Errorf("write %s: %d bytes, want %d", e.Name, c.n, want)
	}
	return nil
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// writeAs writes a tensor as dtype.
func (t *Tensor) writeAs(w io.Writer, dtype DType) error {
	if dtype == t.DType {
		_, err := t.WriteTo(w)
		return err
	}
	buf := make([]float32, chunk)
	return t.each(func(raw []byte) error {
		n := len(raw) / t.DType.Size()
		toFloat32[t.DType](buf[:n], raw)
		return writeFloats(w, buf[:n], dtype)
	})
}

// writeFloats writes numbers rounded to dtype, little-endian.
func writeFloats(w io.Writer, data []float32, dtype DType) error {
	if dtype == F32 && littleEndian && len(data) > 0 {
		_, err := w.Write(unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), 4*len(data)))
		return err
	}
	var put func(b []byte, part []float32) []byte
	switch dtype {
	case F64:
		put = func(b []byte, part []float32) []byte {
			for _, v := range part {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v)))
			}
			return b
		}
	case F32:
		put = func(b []byte, part []float32) []byte {
			for _, v := range part {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
			return b
		}
	case F16:
		put = halves(half.NarrowF16)
	case BF16:
		put = halves(half.NarrowBF16)
	default:
		return errors.New("floats are written as F64, F32, F16 or BF16, not as " + dtype.String())
	}
	buf := make([]byte, 0, chunk)
	for part := range slices.Chunk(data, chunk/dtype.Size()) {
		if _, err := w.Write(put(buf, part)); err != nil {
			return err
		}
	}
	return nil
}

// halves appends numbers that narrow makes of a chunk, little-endian.
func halves(narrow func(dst []uint16, src []float32)) func(b []byte, part []float32) []byte {
	room := make([]uint16, chunk/2)
	return func(b []byte, part []float32) []byte {
		narrowed := room[:len(part)]
		narrow(narrowed, part)
		if littleEndian {
			return append(b, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(narrowed))), 2*len(narrowed))...)
		}
		for _, h := range narrowed {
			b = binary.LittleEndian.AppendUint16(b, h)
		}
		return b
	}
}
