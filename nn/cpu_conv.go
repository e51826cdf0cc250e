package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

func conv(c ConvArgs) kernel.Conv {
	return kernel.Conv{H: c.H, W: c.W, C: c.C, KH: c.Kernel, KW: c.Kernel, Stride: c.Stride, Pad: c.Pad, Out: c.Out}
}

// Conv2D multiplies patches by the packed weight.
func (c *CPU) Conv2D(y, x Tensor, w Operand, a ConvArgs, ep *Epilogue) error {
	if y.Rows == 0 {
		return nil
	}
	k := c.calls.get()
	defer c.calls.put(k)
	if w.Weight == nil {
		p := c.once.get()
		defer c.once.put(p)
		p.Pack(matrix(w.Tensor).T(), kernel.FormatFor(c.precision))
		kernel.Conv2D(vector(y), vector(x), a.Images, conv(a), p, k.set(ep))
		return nil
	}
	kernel.Conv2D(vector(y), vector(x), a.Images, conv(a), c.packed(w, true, 0)[0], k.set(ep))
	return nil
}

// Conv2DGrad is the gradient of Conv2D.
func (c *CPU) Conv2DGrad(dx, dw, dy, x Tensor, w Operand, a ConvArgs) error {
	if !dx.None() {
		kernel.Conv2DGradX(vector(dx), vector(dy), a.Images, conv(a), matrix(w.Tensor), c.precision)
	}
	if !dw.None() {
		kernel.Conv2DGradW(matrix(dw), vector(dy), vector(x), a.Images, conv(a), c.precision)
	}
	return nil
}

// AvgPool averages squares.
func (*CPU) AvgPool(y, x Tensor, a ConvArgs) error {
	kernel.AvgPool(vector(y), vector(x), a.Images, a.H, a.W, a.C, a.Kernel)
	return nil
}

// AvgPoolGrad spreads gradients over squares.
func (*CPU) AvgPoolGrad(dx, dy Tensor, a ConvArgs) error {
	kernel.AvgPoolGrad(vector(dx), vector(dy), a.Images, a.H, a.W, a.C, a.Kernel)
	return nil
}
