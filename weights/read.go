package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"unsafe"
)

// chunk is how many bytes are converted at a time: they stay in the first-level caches.
const chunk = 64 << 10

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// View is the tensor's numbers in place, mapped from the file: read-only, valid until the Store is closed. It is there for
// row-major little-endian float32 at an aligned place of a file the system can map; otherwise ok is false, and ReadFloat32 copies.
func (t *Tensor) View() (data []float32, ok bool) {
	if t.DType != F32 || t.data.big || !littleEndian || !t.contiguous() {
		return nil, false
	}
	n := t.Len()
	if n == 0 {
		return []float32{}, true
	}
	b := t.data.blob.view()
	if b == nil {
		return nil, false
	}
	p := unsafe.Pointer(&b[4*t.offset : 4*(t.offset+n)][0])
	if uintptr(p)%4 != 0 {
		return nil, false
	}
	return unsafe.Slice((*float32)(p), n), true
}

// ReadFloat32 fills dst, which must be Len() long, with the numbers in row-major order, converted to float32 where they are of another type,
// integers and booleans too.
func (t *Tensor) ReadFloat32(dst []float32) error {
	if len(dst) != t.Len() {
		return fmt.Errorf("read %s: room for %d numbers, shape %v", t.Name, len(dst), t.Shape)
	}
	if t.DType == F32 && !t.data.big && littleEndian && t.contiguous() && len(dst) > 0 {
		return t.readInto(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), 4*len(dst)))
	}
	convert := toFloat32[t.DType]
	return t.each(func(raw []byte) error {
		n := len(raw) / t.DType.Size()
		convert(dst[:n], raw)
		dst = dst[n:]
		return nil
	})
}

// Float32s is ReadFloat32 into a new slice.
func (t *Tensor) Float32s() ([]float32, error) {
	dst := make([]float32, t.Len())
	return dst, t.ReadFloat32(dst)
}

// ReadInt64 fills dst, which must be Len() long, with the numbers of an integer or boolean tensor in row-major order; one of floats is an error.
func (t *Tensor) ReadInt64(dst []int64) error {
	if t.DType.Float() {
		return fmt.Errorf("read %s: %s numbers, want integers", t.Name, t.DType)
	}
	if len(dst) != t.Len() {
		return fmt.Errorf("read %s: room for %d numbers, shape %v", t.Name, len(dst), t.Shape)
	}
	convert := toInt64[t.DType]
	return t.each(func(raw []byte) error {
		n := len(raw) / t.DType.Size()
		convert(dst[:n], raw)
		dst = dst[n:]
		return nil
	})
}

// WriteTo writes the numbers in row-major order, little-endian, in their own type.
func (t *Tensor) WriteTo(w io.Writer) (int64, error) {
	var n int64
	err := t.each(func(raw []byte) error {
		k, err := w.Write(raw)
		n += int64(k)
		return err
	})
	return n, err
}

// readInto reads the bytes of a contiguous tensor.
func (t *Tensor) readInto(p []byte) error {
	size := t.DType.Size()
	r, err := t.data.blob.open(int64(t.offset) * int64(size))
	if err == nil {
		_, err = io.ReadFull(r, p)
		r.Close()
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	return nil
}

// each hands the numbers in row-major order, little-endian, a chunk at a time; the chunk is f's until it returns.
func (t *Tensor) each(f func(raw []byte) error) error {
	if t.Len() == 0 {
		return nil
	}
	run := t.eachStrided
	if t.contiguous() {
		run = t.eachContiguous
	}
	size := t.DType.Size()
	err := run(func(raw []byte) error {
		if t.data.big && size > 1 {
			for i := 0; i < len(raw); i += size {
				slices.Reverse(raw[i : i+size])
			}
		}
		return f(raw)
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	return nil
}

func (t *Tensor) eachContiguous(f func(raw []byte) error) error {
	size := t.DType.Size()
	r, err := t.data.blob.open(int64(t.offset) * int64(size))
	if err != nil {
		return err
	}
	defer r.Close()
	left := t.Len() * size
	buf := make([]byte, min(left, chunk))
	for left > 0 {
		p := buf[:min(left, chunk)]
		if _, err := io.ReadFull(r, p); err != nil {
			return err
		}
		if err := f(p); err != nil {
			return err
		}
		left -= len(p)
	}
	return nil
}

// eachStrided reads the part of the storage the view touches and gathers from it.
func (t *Tensor) eachStrided(f func(raw []byte) error) error {
	size, last := t.DType.Size(), t.offset
	for i, s := range t.strides {
		last += (t.Shape[i] - 1) * s
	}
	span := make([]byte, (last+1-t.offset)*size)
	r, err := t.data.blob.open(int64(t.offset) * int64(size))
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.ReadFull(r, span); err != nil {
		return err
	}
	buf := make([]byte, 0, chunk)
	index := make([]int, len(t.Shape))
	for at := 0; ; {
		buf = append(buf, span[at*size:(at+1)*size]...)
		if len(buf) > chunk-8 {
			if err := f(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
		i := len(index) - 1
		for ; i >= 0; i-- {
			at += t.strides[i]
			if index[i]++; index[i] < t.Shape[i] {
				break
			}
			at -= t.Shape[i] * t.strides[i]
			index[i] = 0
		}
		if i < 0 {
			break
		}
	}
	return f(buf)
}
