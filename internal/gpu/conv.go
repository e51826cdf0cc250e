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

// Conv2D is y [n·oh·ow, out] = e(conv(x, w [out, kernel·kernel·c])): a product of patches that are never written down, unless cuBLASLt
// is to compute it.
func (d *Device) Conv2D(y, x, w Matrix, c Conv, e Epilogue) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	oh, ow := c.out()
	if rows := c.Images * oh * ow; !c.plain() && !(d.always && d.byBlas(rows, w.Rows, w.Cols, false, c.Mode)) {
		if rows == 0 || w.Rows == 0 {
			return nil
		}
		return d.implicit(y, x, w, c, e, rows)
	}
	return d.pieces(c, func(part Conv, patches Matrix, image, row int) {
		p := d.patchesOf(part, patches, x.rows(image*c.H*c.W, part.Images*c.H*c.W))
		d.gemm(y.rows(row, p.Rows), p, false, w, true, c.Mode, e.rows(row, p.Rows))
	})
}

// implicit is a convolution whose rows are patches by their places alone.
func (d *Device) implicit(y, x, w Matrix, c Conv, e Epilogue, rows int) error {
	mode := c.Mode
	if mode == TF32 {
		mode = TF32x3
	}
	if w.Ptr == 0 && (mode != BFloat16 || w.Half == 0) {
		var err error
		if w, err = d.widened(w); err != nil {
			return err
		}
	}
	at := w.Ptr
	wide := c.wide(x)
	if mode == BFloat16 {
		if w.Half == 0 { // read once a tile of rows, so rounding it first is little work
			half, stride, err := d.halved("convolution", w)
			if err != nil {
				return err
			}
			w.Half, w.Stride = half, stride
		}
		at = w.Half
		if w.halfWide() {
			wide |= 2
		}
	} else if w.wide() {
		wide |= 2
	}
	name, tile, threads, shared := tiles("conv_"+mode.String(), mode, mode == BFloat16 && large(rows, w.Rows))
	args := append([]any{y.Ptr, y.Stride, x.Ptr, at, w.Stride, rows, w.Rows, w.Cols}, c.shape()...)
	d.run(name, line(tile.count(w.Rows, rows)), line(threads), shared, append(append(args, wide|order(rows, w.Rows)), e.args(y)...)...)
	return nil
}

// wide is 1 where four columns of a patch lie together: in a pixel, or in an image that has no border.
func (c Conv) wide(x Matrix) int {
	if across := c.Kernel * c.C; x.Ptr%16 == 0 && (c.C%4 == 0 || c.Pad == 0 && across%4 == 0 && c.W*c.C%4 == 0 && c.Stride*c.C%4 == 0) {
		return 1
	}
	return 0
}

// gradW is dw with patches by their places alone.
func (d *Device) gradW(dw, dy, x Matrix, c Conv, rows int) {
	mode := c.Mode
	if mode == TF32 {
		mode = TF32x3
	}
	wide := c.wide(x)
	if dy.wide() {
		wide |= 2
	}
	name, tile, threads, shared := tiles("conv_grad_w_"+mode.String(), mode, false)
	args := []any{dw.Ptr, dw.Stride, dy.Ptr, dy.Stride, x.Ptr, dw.Rows, dw.Cols, rows}
	d.run(name, line(tile.count(dw.Rows, dw.Cols)), line(threads), shared, append(append(args, c.shape()...), wide|order(dw.Rows, dw.Cols))...)
}

// gradX is dx as a convolution of dy with the filters turned round, which it is where the stride is 1.
func (d *Device) gradX(dx, dy, w Matrix, c Conv) error {
	if w.Ptr == 0 {
		var err error
		if w, err = d.widened(w); err != nil {
			return err
		}
	}
	n := w.Rows * c.Kernel * c.Kernel * c.C
	at, err := d.temporary("filters", 4*n)
	if err != nil {
		return err
	}
	d.overElements("flip_filters", n, at, w.Ptr, w.Stride, n, c.Kernel, c.C, w.Rows)
	back := Conv{Images: c.Images, C: w.Rows, Kernel: c.Kernel, Stride: 1, Pad: c.Kernel - 1 - c.Pad, Mode: c.Mode}
	back.H, back.W = c.out()
	return d.implicit(dx, dy, dense(at, c.C, c.Kernel*c.Kernel*w.Rows), back, Epilogue{}, c.Images*c.H*c.W)
}

// Conv2DGrad gives dx and dw where wanted, as products of patches that are never written down where dw or strides of 1 are concerned and cuBLASLt
// is not to compute them.
func (d *Device) Conv2DGrad(dx, dw, dy, x, w Matrix, c Conv) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.Images == 0 && !dw.None() {
		d.zero(dw)
	}
	oh, ow := c.out()
	rows := c.Images * oh * ow
	places := rows > 0 && w.Rows > 0 && !c.plain()
	if !dw.None() && places && !(d.always && d.byBlas(w.Rows, w.Cols, rows, true, c.Mode)) {
		d.gradW(dw, dy, x, c, rows)
		dw = Matrix{}
	}
	if !dx.None() && places && c.Stride == 1 && c.Pad < c.Kernel && dy.Stride == dy.Cols && !(d.always && d.byBlas(rows, w.Cols, w.Rows, false, c.Mode)) {
		if err := d.gradX(dx, dy, w, c); err != nil {
			return err
		}
		dx = Matrix{}
	}
	if dx.None() && dw.None() {
		return nil
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
