package nn

import (
	"context"
	"fmt"
	"math"
	"sync"
)

// Reference is the backend of plain loops in float64, one operation after the other: slow, obvious, and what
// gradients and kernels are tested against.
type Reference struct {
	mu     sync.Mutex
	params map[*Param]*refParam
}

type refParam struct {
	version uint64
	buf     *refBuffer
}

// NewReference makes a reference backend.
func NewReference() *Reference { return &Reference{params: map[*Param]*refParam{}} }

type refBuffer struct {
	f []float64
	i []int32
}

func (b *refBuffer) Len() int { return len(b.f) + len(b.i) }

// Name is "reference".
func (*Reference) Name() string { return "reference" }

// Alloc makes a zeroed buffer.
func (*Reference) Alloc(t DType, n int) (Buffer, error) {
	if t == Int32 {
		return &refBuffer{i: make([]int32, n)}, nil
	}
	return &refBuffer{f: make([]float64, n)}, nil
}

// Free does nothing.
func (*Reference) Free(Buffer) {}

// Write copies floats in.
func (*Reference) Write(dst Buffer, off int, src []float32) error {
	d := dst.(*refBuffer).f[off:]
	for i, x := range src {
		d[i] = float64(x)
	}
	return nil
}

// WriteInts copies integers in.
func (*Reference) WriteInts(dst Buffer, off int, src []int32) error {
	copy(dst.(*refBuffer).i[off:], src)
	return nil
}

// Read copies floats out.
func (*Reference) Read(dst []float64, src Buffer, off int) error {
	copy(dst, src.(*refBuffer).f[off:])
	return nil
}

// Parameter is p in float64, read again when p has changed.
func (r *Reference) Parameter(p *Param) (Buffer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rp := r.params[p]
	if rp == nil {
		rp = &refParam{version: math.MaxUint64, buf: &refBuffer{f: make([]float64, len(p.Data))}}
		r.params[p] = rp
	}
	if v := p.Version(); rp.version != v {
		rp.version = v
		return rp.buf, r.Write(rp.buf, 0, p.Data)
	}
	return rp.buf, nil
}

// nudge adds d to one number of a parameter on this backend alone, in float64: a finite difference
// would drown in float32.
func (r *Reference) nudge(p *Param, i int, d float64) error {
	b, err := r.Parameter(p)
	if err != nil {
		return err
	}
	if i < 0 || i >= len(p.Data) {
		return fmt.Errorf("nudge %s: index %d of %d", p.Name, i, len(p.Data))
	}
	b.(*refBuffer).f[i] += d
	return nil
}

// Begin does nothing.
func (*Reference) Begin(context.Context) error { return nil }

// End does nothing.
func (*Reference) End() error { return nil }

// row is row i of t.
func row(t Tensor, i int) []float64 {
	return t.Buf.(*refBuffer).f[t.Off+i*t.Stride:][:t.Cols]
}

// integers are the numbers of an int32 tensor of one row.
func integers(t Tensor) []int32 {
	if t.None() {
		return nil
	}
	return t.Buf.(*refBuffer).i[t.Off:][:t.Rows*t.Cols]
}

// at is element (i, j) of a, or of its transpose.
func at(a Tensor, trans bool, i, j int) float64 {
	if trans {
		i, j = j, i
	}
	return row(a, i)[j]
}

// Gemm is a triple loop and the epilogue.
func (*Reference) Gemm(c, a Tensor, transA bool, b Operand, transB bool, ep *Epilogue) error {
	k := a.Cols
	if transA {
		k = a.Rows
	}
	for i := range c.Rows {
		y := row(c, i)
		for j := range y {
			var s float64
			for l := range k {
				s += at(a, transA, i, l) * at(b.Tensor, transB, l, j)
			}
			y[j] = ep.apply(s, i, j)
		}
	}
	return nil
}

// apply is what the epilogue makes of element (i, j).
func (ep *Epilogue) apply(x float64, i, j int) float64 {
	if !ep.Bias.None() {
		x += row(ep.Bias, 0)[j]
	}
	if !ep.Pre.None() {
		row(ep.Pre, i)[j] = x
	}
	x = activate(ep.Act, x)
	if ep.GradOf != NoActivation {
		x *= derivative(ep.GradOf, row(ep.GradPre, i)[j])
	}
	if !ep.Residual.None() {
		x += row(ep.Residual, i)[j]
	}
	if ep.Positive {
		x = activate(ReLUAct, x)
	}
	return x
}

// ColSum adds rows.
func (r *Reference) ColSum(dst, a Tensor) error {
	y := row(dst, 0)
	clear(y)
	for i := range a.Rows {
		for j, x := range row(a, i) {
			y[j] += x
		}
	}
	return nil
}

// Activate is elementwise.
func (*Reference) Activate(dst, x Tensor, act Activation) error {
	for i := range dst.Rows {
		y := row(dst, i)
		for j, x := range row(x, i) {
			y[j] = activate(act, x)
		}
	}
	return nil
}

// ActivateGrad is elementwise.
func (*Reference) ActivateGrad(dx, dy, x Tensor, act Activation) error {
	for i := range dx.Rows {
		d, g := row(dx, i), row(dy, i)
		for j, x := range row(x, i) {
			d[j] = g[j] * derivative(act, x)
		}
	}
	return nil
}

// activate is the activation's value.
func activate(act Activation, x float64) float64 {
	switch act {
	case GELUTanhAct:
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case QuickGELUAct:
		return x / (1 + math.Exp(-1.702*x))
	case GELUErfAct:
		return 0.5 * x * (1 + math.Erf(x/math.Sqrt2))
	case ReLUAct:
		return max(x, 0)
	case TanhAct:
		return math.Tanh(x)
	}
	return x
}

// derivative is the activation's derivative.
func derivative(act Activation, x float64) float64 {
	switch act {
	case GELUTanhAct:
		c := math.Sqrt(2 / math.Pi)
		t := math.Tanh(c * (x + 0.044715*x*x*x))
		return 0.5*(1+t) + 0.5*x*(1-t*t)*c*(1+3*0.044715*x*x)
	case QuickGELUAct:
		s := 1 / (1 + math.Exp(-1.702*x))
		return s + 1.702*x*s*(1-s)
	case GELUErfAct:
		return 0.5*(1+math.Erf(x/math.Sqrt2)) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	case ReLUAct:
		if x > 0 {
			return 1
		}
		return 0
	case TanhAct:
		t := math.Tanh(x)
		return 1 - t*t
	}
	return 1
}

// Add is elementwise.
func (*Reference) Add(dst, a, b Tensor) error {
	for i := range dst.Rows {
		y, a, b := row(dst, i), row(a, i), row(b, i)
		for j := range y {
			y[j] = a[j] + b[j]
		}
	}
	return nil
}

// Scale is elementwise.
func (*Reference) Scale(dst, x, s Tensor) error {
	f := row(s, 0)[0]
	for i := range dst.Rows {
		y := row(dst, i)
		for j, x := range row(x, i) {
			y[j] = x * f
		}
	}
	return nil
}

// Zero clears.
func (*Reference) Zero(dst Tensor) error {
	for i := range dst.Rows {
		clear(row(dst, i))
	}
	return nil
}
