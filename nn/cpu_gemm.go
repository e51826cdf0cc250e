package nn

import (
	"fmt"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// packKey names a packed form of a parameter.
type packKey struct {
	param *Param
	trans bool
	parts int // rows of the parameter a part, 0: all in one

	winograd bool // the sixteen parts of a convolution's weights
}

// pack is a parameter packed for the kernels, in parts.
type pack struct {
	version uint64
	parts   []*kernel.Packed
	cut     []*kernel.Packed // the one part in parts of its columns, in the same memory
}

// format is what weights are packed to.
func (c *CPU) format() kernel.Format {
	switch c.weights {
	case WeightsFloat32:
		return kernel.F32
	case WeightsBFloat16:
		return kernel.BF16W
	case WeightsInt8:
		return kernel.Int8
	}
	return kernel.FormatFor(c.precision)
}

// keeps tells whether an operand has a packed form that outlives the product. A parameter that changes after every run has none:
// packed when it is used, in memory that all products share, it takes no more time, since it would be packed again anyway.
func (c *CPU) keeps(b Operand) bool {
	return b.Weight != nil && !(b.Once && c.weights == WeightsByPrecision && b.Weight.Data != nil)
}

// has tells whether a parameter whose numbers were taken is packed so, transposed or not.
func (c *CPU) has(b Operand, trans bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.packs[packKey{param: b.Weight, trans: trans}] != nil || c.format() == kernel.Int8
}

// turned is the transpose of a parameter that is packed the other way, for one product: give it back to c.once. Keeping both forms would
// double the memory of weights; turning costs a hundredth of the products of a training step.
func (c *CPU) turned(b Operand, trans bool) (*kernel.Packed, error) {
	p, err := c.packed(b, !trans, 0)
	if err != nil {
		return nil, err
	}
	t := c.once.get()
	t.PackTransposed(p[0])
	return t, nil
}

// onHost is an error where a parameter's numbers were handed over in a form that this use of them cannot read.
func onHost(w *Param, what string) error {
	if w == nil || w.Data != nil {
		return nil
	}
	return fmt.Errorf("the numbers of %s %v were handed over (Holder), but %s needs them in Data", w.Name, w.Shape, what)
}

// packed is a parameter's matrix as right operands, packed again only after a change. With parts > 0 the
// parameter's rows are cut into parts of that many, each an operand of its own. One whose numbers were handed over for another use is an
// error.
func (c *CPU) packed(b Operand, trans bool, parts int) ([]*kernel.Packed, error) {
	key := packKey{param: b.Weight, trans: trans, parts: parts}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.packs[key]
	if p != nil && p.version == b.Weight.Version() {
		return p.parts, nil
	}
	if err := onHost(b.Weight, "a product of another kind"); err != nil {
		return nil, err
	}
	if p == nil {
		p = &pack{}
		c.packs[key] = p
	}
	p.version = b.Weight.Version()
	step := parts
	if step == 0 {
		step = max(1, b.Rows)
	}
	for i, from := 0, 0; from < max(1, b.Rows); i, from = i+1, from+step {
		if i == len(p.parts) {
			p.parts = append(p.parts, new(kernel.Packed))
		}
		t := b.Tensor
		t.Off += from * t.Stride
		t.Rows = min(step, b.Rows-from)
		m := matrix(t)
		if trans {
			m = m.T()
		}
		p.parts[i].Pack(m, c.format())
	}
	return p.parts, nil
}

// PackedBytes is the memory that packed weights take.
func (c *CPU) PackedBytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, p := range c.packs {
		for _, part := range p.parts {
			n += part.Bytes()
		}
	}
	return n
}

// call is the kernel's view of one product; calls are kept because the kernels take pointers.
type call struct {
	ep                      kernel.Epilogue
	pre, gradPre, residual  kernel.Matrix
	preRounded, gradRounded kernel.RoundedMatrix
	rows                    kernel.RoundedMatrix // the result
	from, to, added         kernel.Rounded
}

var activations = [...]kernel.Activation{
	NoActivation: kernel.None, GELUTanhAct: kernel.GELUTanh, QuickGELUAct: kernel.QuickGELU,
	GELUErfAct: kernel.GELUErf, ReLUAct: kernel.ReLU, TanhAct: kernel.Tanh,
}

// result is where a product's result y goes: if that is rounded rows, only the shape counts, and set has told the kernel.
func (k *call) result(y Tensor) kernel.Matrix {
	if y.Form == Rounded {
		return kernel.Matrix{Rows: y.Rows, Cols: y.Cols, Stride: y.Cols}
	}
	return matrix(y)
}

// set translates the epilogue of a product whose result is y.
func (k *call) set(y Tensor, ep *Epilogue) *kernel.Epilogue {
	*k = call{}
	k.ep = kernel.Epilogue{Bias: vector(ep.Bias), Act: activations[ep.Act], GradOf: activations[ep.GradOf], Positive: ep.Positive}
	if y.Form == Rounded {
		k.rows = roundedRows(y)
		k.ep.Result = &k.rows
	}
	switch {
	case ep.Pre.Form == Rounded:
		k.preRounded = roundedRows(ep.Pre)
		k.ep.PreRounded = &k.preRounded
	case !ep.Pre.None():
		k.pre = matrix(ep.Pre)
		k.ep.Pre = &k.pre
	}
	switch {
	case ep.GradPre.Form == Rounded:
		k.gradRounded = roundedRows(ep.GradPre)
		k.ep.GradPreRounded = &k.gradRounded
	case !ep.GradPre.None():
		k.gradPre = matrix(ep.GradPre)
		k.ep.GradPre = &k.gradPre
	}
	if ep.Residual.Form == Ordered {
		lay(&k.added, ep.Residual)
		k.ep.Rounded = &k.added
	} else if !ep.Residual.None() {
		k.residual = matrix(ep.Residual)
		k.ep.Residual = &k.residual
	}
	return &k.ep
}

// Gemm multiplies by packed weights, or packs the right operand for this one product.
func (c *CPU) Gemm(y, a Tensor, transA bool, b Operand, transB bool, ep *Epilogue) error {
	if y.Rows == 0 || y.Cols == 0 {
		return nil
	}
	k := c.calls.get()
	defer c.calls.put(k)
	if y.Form == Ordered || a.Form == Ordered {
		return c.gemmBetween(k, y, a, b, transB, ep)
	}
	am := matrix(a)
	if transA {
		am = am.T()
	}
	if c.keeps(b) {
		if b.Weight.Data != nil || c.has(b, transB) {
			p, err := c.packed(b, transB, 0)
			if err == nil {
				kernel.Gemm(k.result(y), am, p[0], k.set(y, ep))
			}
			return err
		}
		turned, err := c.turned(b, transB)
		if err != nil {
			return err
		}
		kernel.Gemm(k.result(y), am, turned, k.set(y, ep))
		c.once.put(turned)
		return nil
	}
	bm := matrix(b.Tensor)
	if transB {
		bm = bm.T()
	}
	kernel.GemmBoth(k.result(y), am, bm, c.precision, k.set(y, ep))
	return nil
}

// ColSum adds rows.
func (*CPU) ColSum(dst, a Tensor) error {
	kernel.ColSum(vector(dst), matrix(a), false)
	return nil
}
