package nn

// eachTap calls f for every pair of output pixel, input pixel and position in the kernel that
// the convolution multiplies.
func (c *ConvArgs) eachTap(f func(out, in, tap int)) {
	oh, ow := c.OutSize()
	for n := range c.Images {
		for y := range oh {
			for x := range ow {
				for ky := range c.Kernel {
					for kx := range c.Kernel {
						iy, ix := y*c.Stride+ky-c.Pad, x*c.Stride+kx-c.Pad
						if iy >= 0 && iy < c.H && ix >= 0 && ix < c.W {
							f((n*oh+y)*ow+x, (n*c.H+iy)*c.W+ix, ky*c.Kernel+kx)
						}
					}
				}
			}
		}
	}
}

// Conv2D is the sum over the kernel's taps.
func (r *Reference) Conv2D(y, x Tensor, w Operand, c ConvArgs, ep *Epilogue) error {
	if err := r.Zero(y); err != nil {
		return err
	}
	c.eachTap(func(out, in, tap int) {
		for o := range c.Out {
			row(y, out)[o] += dot(row(x, in), row(w.Tensor, o)[tap*c.C:][:c.C])
		}
	})
	for i := range y.Rows {
		for j, v := range row(y, i) {
			row(y, i)[j] = ep.apply(v, i, j)
		}
	}
	return nil
}

// Conv2DGrad is the derivative of Conv2D without epilogue.
func (r *Reference) Conv2DGrad(dx, dw, dy, x Tensor, w Operand, c ConvArgs) error {
	for _, t := range [...]Tensor{dx, dw} {
		if !t.None() {
			if err := r.Zero(t); err != nil {
				return err
			}
		}
	}
	c.eachTap(func(out, in, tap int) {
		for o, d := range row(dy, out) {
			for j := range c.C {
				if !dx.None() {
					row(dx, in)[j] += d * row(w.Tensor, o)[tap*c.C+j]
				}
				if !dw.None() {
					row(dw, o)[tap*c.C+j] += d * row(x, in)[j]
				}
			}
		}
	})
	return nil
}

// AvgPool is the mean over each square.
func (r *Reference) AvgPool(y, x Tensor, c ConvArgs) error {
	if err := r.Zero(y); err != nil {
		return err
	}
	n := float64(c.Kernel * c.Kernel)
	c.eachTap(func(out, in, _ int) {
		for j, v := range row(x, in) {
			row(y, out)[j] += v / n
		}
	})
	return nil
}

// AvgPoolGrad spreads each gradient over its square.
func (r *Reference) AvgPoolGrad(dx, dy Tensor, c ConvArgs) error {
	if err := r.Zero(dx); err != nil {
		return err
	}
	n := float64(c.Kernel * c.Kernel)
	c.eachTap(func(out, in, _ int) {
		for j, v := range row(dy, out) {
			row(dx, in)[j] += v / n
		}
	})
	return nil
}
