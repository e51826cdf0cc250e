package gpu

// Conv describes a convolution of images [n·h·w, channels], channels last, with square strides and padding.
type Conv struct {
	Images, H, W, C     int
	Kernel, Stride, Pad int
	Mode                Mode
}

func (c Conv) out() (h, w int) {
	return (c.H+2*c.Pad-c.Kernel)/c.Stride + 1, (c.W+2*c.Pad-c.Kernel)/c.Stride + 1
}

// plain tells whether the patches are the image itself.
func (c Conv) plain() bool { return c.Kernel == 1 && c.Stride == 1 && c.Pad == 0 }

// patchesMost is how many numbers of patches are held at a time.
const patchesMost = 1 << 26

// pieces calls f for some images at a time, with what their patches are called and where their rows of the result begin.
func (d *Device) pieces(c Conv, f func(part Conv, patches Matrix, image, row int)) error {
	oh, ow := c.out()
	per, depth := oh*ow, c.Kernel*c.Kernel*c.C
	step := max(1, min(c.Images, patchesMost/max(1, per*depth)))
	tmp := Ptr(0)
	if !c.plain() {
		var err error
		if tmp, err = d.temporary("patches", 4*max(1, step*per*depth)); err != nil {
			return err
		}
	}
	for i := 0; i < c.Images; i += step {
		part := c
		part.Images = min(step, c.Images-i)
		f(part, dense(tmp, part.Images*per, depth), i, i*per)
	}
	return nil
}

// shape are the last arguments of the patch kernels.
func (c Conv) shape() []any {
	oh, ow := c.out()
	return []any{c.H, c.W, c.C, c.Kernel, c.Stride, c.Pad, oh, ow}
}

// patchesOf fills patches from x, or is x itself.
func (d *Device) patchesOf(c Conv, patches, x Matrix) Matrix {
	if c.plain() {
		return dense(x.Ptr, c.Images*c.H*c.W, c.C)
	}
	d.overElements("im2col", patches.size(), append([]any{patches.Ptr, x.Ptr, patches.size()}, c.shape()...)...)
	return patches
}

// Conv2D is y [n·oh·ow, out] = e(conv(x, w [out, kernel·kernel·c])).
func (d *Device) Conv2D(y, x, w Matrix, c Conv, e Epilogue) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pieces(c, func(part Conv, patches Matrix, image, row int) {
		p := d.patchesOf(part, patches, x.rows(image*c.H*c.W, part.Images*c.H*c.W))
		d.gemm(y.rows(row, p.Rows), p, false, w, true, c.Mode, e.rows(row, p.Rows))
	})
}

// Conv2DGrad gives dx and dw where wanted.
func (d *Device) Conv2DGrad(dx, dw, dy, x, w Matrix, c Conv) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.Images == 0 && !dw.None() {
		d.zero(dw)
	}
	return d.pieces(c, func(part Conv, patches Matrix, image, row int) {
		rows := part.Images * c.H * c.W
		if !dw.None() {
			p := d.patchesOf(part, patches, x.rows(image*c.H*c.W, rows))
			e := Epilogue{}
			if row > 0 {
				e.Residual = dw
			}
			d.gemm(dw, dy.rows(row, p.Rows), true, p, false, c.Mode, e)
		}
		if !dx.None() {
			to := dx.rows(image*c.H*c.W, rows)
			if c.plain() {
				d.gemm(dense(to.Ptr, rows, c.C), dy.rows(row, rows), false, w, false, c.Mode, Epilogue{})
				return
			}
			d.gemm(patches, dy.rows(row, patches.Rows), false, w, false, c.Mode, Epilogue{})
			n := rows * c.C
			d.overElements("col2im", n, append([]any{to.Ptr, patches.Ptr, n}, part.shape()...)...)
		}
	})
}

// AvgPool averages Kernel×Kernel squares.
func (d *Device) AvgPool(y, x Matrix, c Conv) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := c.Images * (c.H / c.Kernel) * (c.W / c.Kernel) * c.C
	d.overElements("avg_pool", n, y.Ptr, x.Ptr, n, c.H, c.W, c.C, c.Kernel)
}

// AvgPoolGrad spreads dy over the squares.
func (d *Device) AvgPoolGrad(dx, dy Matrix, c Conv) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := c.Images * c.H * c.W * c.C
	d.overElements("avg_pool_grad", n, dx.Ptr, dy.Ptr, n, c.H, c.W, c.C, c.Kernel)
}
