package nn

import (
	"fmt"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Value is the value of a node: a shape with room for a number of rows, of which the first
// Live are in use, in a backend's memory. It is a gorgonia.Value, so it travels through any
// gorgonia.VM; reading it with Data copies it to the host.
type Value struct {
	dtype DType
	shape tensor.Shape

	backend Backend
	mem     Tensor // the rows in use, each a row of shape

	once  bool     // a parameter that changes after every run
	outs  []*Value // further results of the same operation
	param *Param   // set when this is a parameter
	input *input   // set when this is an input
	state *State   // set when this is a state
}

var _ G.Value = (*Value)(nil)

func rowsOf(shape []int) int {
	if len(shape) == 0 {
		return 1
	}
	return shape[0]
}

// newValue is a value without memory.
func newValue(t DType, shape tensor.Shape) *Value {
	cols := 1
	for i := 1; i < len(shape); i++ {
		cols *= shape[i]
	}
	return &Value{dtype: t, shape: shape, mem: Tensor{Cols: cols, Stride: cols}}
}

// cols is the number of elements in a row.
func (v *Value) cols() int { return v.mem.Cols }

// Live is the number of rows in use.
func (v *Value) Live() int { return v.mem.Rows }

// Shape is the shape with its full row capacity.
func (v *Value) Shape() tensor.Shape { return v.shape }

// Size is the number of elements of the full shape.
func (v *Value) Size() int { return v.shape.TotalSize() }

// Dtype is what Gorgonia takes the value for.
func (v *Value) Dtype() tensor.Dtype { return dtypes[v.dtype] }

var dtypes = [...]tensor.Dtype{Float: tensor.Float32, Int32: tensor.Int32}

// Type is the type Gorgonia's checks use.
func (v *Value) Type() hm.Type { return typeOf(v.dtype, v.shape) }

func typeOf(t DType, s tensor.Shape) hm.Type {
	if len(s) == 0 {
		return dtypes[t]
	}
	return G.TensorType{Dims: len(s), Of: dtypes[t]}
}

// Uintptr is 0: the memory may not be the host's.
func (v *Value) Uintptr() uintptr { return 0 }

// MemSize is the size in bytes of the full shape.
func (v *Value) MemSize() uintptr { return uintptr(4 * v.Size()) }

// Format prints the shape.
func (v *Value) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "%v%v (%d live)", v.dtype, v.shape, v.mem.Rows)
}

// Data is a copy of the live rows: a []float32, a []int32, or a float32 for a scalar.
// It is nil when the value was not computed, or cannot be read.
func (v *Value) Data() any {
	if v.dtype == Int32 {
		if v.input == nil {
			return nil
		}
		return append([]int32(nil), v.input.ints...)
	}
	out, err := v.Float32s()
	if err != nil {
		return nil
	}
	if len(v.shape) == 0 {
		return out[0]
	}
	return out
}

// Floats copies the live rows to the host in full precision.
func (v *Value) Floats() ([]float64, error) {
	out := make([]float64, v.mem.Rows*v.cols())
	if v.param != nil && v.backend == nil {
		for i, x := range v.param.Data {
			out[i] = float64(x)
		}
		return out, nil
	}
	if v.mem.Buf == nil {
		return nil, fmt.Errorf("read a value of shape %v: it was not computed", v.shape)
	}
	return out, v.backend.Read(out, v.mem.Buf, v.mem.Off)
}

// Float32s copies the live rows to the host.
func (v *Value) Float32s() ([]float32, error) {
	f, err := v.Floats()
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(f))
	for i, x := range f {
		out[i] = float32(x)
	}
	return out, nil
}

// Read copies the live rows from row on into dst, as many as fit, which must be there.
func (v *Value) Read(dst []float64, row int) error {
	if v.mem.Buf == nil {
		return fmt.Errorf("read a value of shape %v: it was not computed", v.shape)
	}
	if left := (v.mem.Rows - row) * v.cols(); row < 0 || len(dst) > left {
		return fmt.Errorf("read %d numbers from row %d of a value with %d rows of %d in use", len(dst), row, v.mem.Rows, v.cols())
	}
	return v.backend.Read(dst, v.mem.Buf, v.mem.Off+row*v.cols())
}

// mat is the live part as [rows, the rest].
func (v *Value) mat() Tensor {
	if v == nil {
		return Tensor{}
	}
	return v.mem
}

// vec is the live part as one row.
func (v *Value) vec() Tensor {
	if v == nil {
		return Tensor{}
	}
	n := v.mem.Rows * v.mem.Cols
	return Tensor{Buf: v.mem.Buf, Off: v.mem.Off, Rows: 1, Cols: n, Stride: n}
}

// operand is v as the right side of a product.
func (v *Value) operand() Operand { return Operand{Tensor: v.mat(), Weight: v.param, Once: v.once} }
