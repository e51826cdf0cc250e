package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

func conv(c ConvArgs) kernel.Conv {
	return kernel.Conv{H: c.H, W: c.W, C: c.C, KH: c.Kernel, KW: c.Kernel, Stride: c.Stride, Pad: c.Pad, Out: c.Out}
}

// Conv2D multiplies patches by the packed weight, or takes Winograd's way where there is one.
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
		kernel.Conv2D(vector(y), vector(x), a.Images, conv(a), p, k.set(y, ep))
		return nil
	}
	if d := conv(a); d.Winograd() && ep.Pre.None() && ep.GradPre.None() && ep.Residual.None() {
		p, err := c.winograd(w, d)
		if err == nil {
			kernel.Conv2DWinograd(k.pixels(&k.to, y), k.pixels(&k.from, x), a.Images, d, p, vector(ep.Bias), activations[ep.Act])
		}
		return err
	}
	p, err := c.packed(w, true, 0)
	if err == nil {
		kernel.Conv2D(vector(y), vector(x), a.Images, conv(a), p[0], k.set(y, ep))
	}
	return err
}

// winograd is a weight packed for Winograd's convolution, packed again only after a change.
func (c *CPU) winograd(b Operand, d kernel.Conv) ([]*kernel.Packed, error) {
	key := packKey{param: b.Weight, winograd: true}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.packs[key]
	if p != nil && p.version == b.Weight.Version() {
		return p.parts, nil
	}
	if err := onHost(b.Weight, "a convolution of another kind"); err != nil {
		return nil, err
	}
	if p == nil {
		p = &pack{}
		for range 16 {
			p.parts = append(p.parts, new(kernel.Packed))
		}
		c.packs[key] = p
	}
	p.version = b.Weight.Version()
	kernel.PackWinograd(p.parts, matrix(b.Tensor), d, d.WinogradFormat(c.format()))
	return p.parts, nil
}

// Conv2DGrad is the gradient of Conv2D.
func (c *CPU) Conv2DGrad(dx, dw, dy, x Tensor, w Operand, a ConvArgs) error {
	if !dx.None() {
		if err := onHost(w.Weight, "the gradient of a convolution"); err != nil {
			return err
		}
		kernel.Conv2DGradX(vector(dx), vector(dy), a.Images, conv(a), matrix(w.Tensor), c.precision)
	}
	if !dw.None() {
		kernel.Conv2DGradW(matrix(dw), vector(dy), vector(x), a.Images, conv(a), c.precision)
	}
	return nil
}

// AvgPool averages squares.
func (c *CPU) AvgPool(y, x Tensor, a ConvArgs) error {
	if a.Kernel == 2 {
		k := c.calls.get()
		kernel.AvgPool2(k.pixels(&k.to, y), k.pixels(&k.from, x), a.Images, a.H, a.W, a.C)
		c.calls.put(k)
		return nil
	}
	kernel.AvgPool(vector(y), vector(x), a.Images, a.H, a.W, a.C, a.Kernel)
	return nil
}

// AvgPoolGrad spreads gradients over squares.
func (*CPU) AvgPoolGrad(dx, dy Tensor, a ConvArgs) error {
	kernel.AvgPoolGrad(vector(dx), vector(dy), a.Images, a.H, a.W, a.C, a.Kernel)
	return nil
}
