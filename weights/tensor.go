package weights

import (
	"errors"
	"fmt"
	"slices"
)

// Tensor is one tensor of a Store: a view of a storage that still lies in the file.
type Tensor struct {
	Name  string
	DType DType
	Shape []int

	strides []int // in numbers, one per dimension
	offset  int   // of the first number, in the storage
	data    *storage
}

// storage is a run of numbers of one type, which several tensors may share.
type storage struct {
	dtype DType
	numel int
	big   bool // big-endian
	blob  blob
}

const (
	maxRank = 32
	// maxExpanded bounds tensors that repeat a small storage by strides of 0 (64 MiB as float32).
	maxExpanded = 1 << 24
	// maxNumel keeps byte offsets of any type below 2^62.
	maxNumel = 1 << 59
)

// newTensor checks a view against its storage.
func newTensor(name string, data *storage, offset int, shape, strides []int) (*Tensor, error) {
	t := &Tensor{Name: name, DType: data.dtype, Shape: shape, strides: strides, offset: offset, data: data}
	if len(shape) > maxRank {
		return nil, fmt.Errorf("%d dimensions, at most %d are read", len(shape), maxRank)
	}
	if strides == nil {
		t.strides = rowMajor(shape)
	}
	if len(t.strides) != len(shape) {
		return nil, fmt.Errorf("%d strides for %d dimensions", len(t.strides), len(shape))
	}
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	if offset < 0 || offset > data.numel || n > 0 && offset == data.numel {
		return nil, fmt.Errorf("offset %d is outside its storage of %d numbers", offset, data.numel)
	}
	for i, left := 0, data.numel-1-offset; i < len(shape); i++ { // left: numbers after the last one reached so far
		s, steps := t.strides[i], shape[i]-1
		if s < 0 {
			return nil, fmt.Errorf("stride %d of dimension %d is negative", s, i)
		}
		if n == 0 || steps == 0 || s == 0 {
			continue
		}
		if steps > left/s {
			return nil, fmt.Errorf("shape %v with strides %v from offset %d reaches past its storage of %d numbers", shape, t.strides, offset, data.numel)
		}
		left -= steps * s
	}
	if n > data.numel && n > maxExpanded {
		return nil, fmt.Errorf("shape %v repeats a storage of %d numbers too often", shape, data.numel)
	}
	return t, nil
}

// numel is the number of numbers of a shape.
func numel(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative size", shape)
		}
	}
	if slices.Contains(shape, 0) {
		return 0, nil
	}
	for _, d := range shape {
		if d > maxNumel/n {
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		n *= d
	}
	return n, nil
}

func rowMajor(shape []int) []int {
	s := make([]int, len(shape))
	for i, step := len(shape)-1, 1; i >= 0; i-- {
		s[i] = step
		step *= max(shape[i], 1)
	}
	return s
}

// Len is the number of numbers.
func (t *Tensor) Len() int {
	n, _ := numel(t.Shape)
	return n
}

// contiguous tells whether the numbers lie in row-major order without gaps.
func (t *Tensor) contiguous() bool {
	step := 1
	for i := len(t.Shape) - 1; i >= 0; i-- {
		if t.Shape[i] != 1 && t.strides[i] != step {
			return t.Len() == 0
		}
		step *= max(t.Shape[i], 1)
	}
	return true
}

// Transposed is a view of a matrix with rows and columns exchanged; nothing moves.
func (t *Tensor) Transposed() (*Tensor, error) {
	if len(t.Shape) != 2 {
		return nil, fmt.Errorf("transpose %s: shape %v, want a matrix", t.Name, t.Shape)
	}
	u := *t
	u.Shape = []int{t.Shape[1], t.Shape[0]}
	u.strides = []int{t.strides[1], t.strides[0]}
	return &u, nil
}

// Reshaped is a view of a row-major tensor with another shape of the same size; another size, or a tensor that is not row-major, is an error.
func (t *Tensor) Reshaped(shape ...int) (*Tensor, error) {
	n, err := numel(shape)
	if err == nil && n != t.Len() {
		err = fmt.Errorf("want %d numbers", t.Len())
	}
	if err == nil && !t.contiguous() {
		err = errors.New("its numbers are not in row-major order")
	}
	if err != nil {
		return nil, fmt.Errorf("reshape %s from %v to %v: %w", t.Name, t.Shape, shape, err)
	}
	u := *t
	u.Shape, u.strides = slices.Clone(shape), rowMajor(shape)
	return &u, nil
}

// Rows is the view of rows [from, to) of the first dimension; a range outside it is an error.
func (t *Tensor) Rows(from, to int) (*Tensor, error) {
	if len(t.Shape) == 0 || from < 0 || to < from || to > t.Shape[0] {
		return nil, fmt.Errorf("rows [%d, %d) of %s: shape %v", from, to, t.Name, t.Shape)
	}
	u := *t
	u.Shape = slices.Clone(t.Shape)
	u.Shape[0] = to - from
	if to > from {
		u.offset += from * t.strides[0]
	}
	return &u, nil
}

// sameNumbers tells whether two tensors are the same view of the same storage.
func (t *Tensor) sameNumbers(u *Tensor) bool {
	return t.DType == u.DType && t.offset == u.offset && t.data.blob == u.data.blob && t.data.big == u.data.big &&
		slices.Equal(t.Shape, u.Shape) && slices.Equal(t.strides, u.strides)
}
