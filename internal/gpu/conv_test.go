package gpu_test

import (
	"fmt"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/kernel"
)

func TestConv(t *testing.T) {
	for _, c := range []struct{ n, h, w, c, out, kernel, stride, pad int }{
		{0, 3, 3, 1, 1, 1, 1, 0}, {1, 1, 1, 1, 1, 1, 1, 0}, {2, 5, 7, 3, 4, 3, 1, 1}, {3, 9, 6, 2, 5, 3, 2, 1}, {2, 8, 8, 3, 7, 4, 4, 0}, {2, 5, 3, 11, 13, 1, 1, 0},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			b := open(t)
			g := gpu.Conv{Images: c.n, H: c.h, W: c.w, C: c.c, Kernel: c.kernel, Stride: c.stride, Pad: c.pad}
			h := kernel.Conv{H: c.h, W: c.w, C: c.c, KH: c.kernel, KW: c.kernel, Stride: c.stride, Pad: c.pad, Out: c.out}
			oh, ow := (c.h+2*c.pad-c.kernel)/c.stride+1, (c.w+2*c.pad-c.kernel)/c.stride+1
			in, rows, depth := c.n*c.h*c.w, c.n*oh*ow, c.kernel*c.kernel*c.c
			xv, wv, bias, dv := b.random(in*c.c), b.random(c.out*depth), b.random(c.out), b.random(rows*c.out)
			x, w, dy := b.dense(xv, in, c.c), b.dense(wv, c.out, depth), b.dense(dv, rows, c.out)
			y := b.zeros(rows, c.out)
			b.must(b.dev.Conv2D(y, x, w, g, gpu.Epilogue{Bias: b.dense(bias, 1, c.out), Act: gpu.ReLU}))
			want := make([]float32, rows*c.out)
			p := new(kernel.Packed)
			p.Pack(mat(wv, c.out, depth, depth).T(), kernel.F32)
			kernel.Conv2D(want, xv, c.n, h, p, &kernel.Epilogue{Bias: bias, Act: kernel.ReLU})
			b.check("y", y, want, 2e-6)
			dx, dw := b.zeros(in, c.c), b.zeros(c.out, depth)
			b.must(b.dev.Conv2DGrad(dx, dw, dy, x, w, g))
			wx, ww := make([]float32, in*c.c), make([]float32, c.out*depth)
			kernel.Conv2DGradX(wx, dv, c.n, h, mat(wv, c.out, depth, depth), kernel.Float32)
			kernel.Conv2DGradW(mat(ww, c.out, depth, depth), dv, xv, c.n, h, kernel.Float32)
			b.check("dx", dx, wx, 2e-6)
			b.check("dw", dw, ww, 2e-6)
		})
	}
}

func TestAvgPool(t *testing.T) {
	for _, c := range []struct{ n, h, w, c, k int }{{1, 1, 1, 1, 1}, {2, 4, 6, 3, 2}, {3, 7, 5, 5, 2}, {1, 7, 7, 3, 7}} {
		b := open(t)
		in, rows := c.n*c.h*c.w, c.n*(c.h/c.k)*(c.w/c.k)
		xv, dv := b.random(in*c.c), b.random(rows*c.c)
		y, dx := b.zeros(rows, c.c), b.zeros(in, c.c)
		g := gpu.Conv{Images: c.n, H: c.h, W: c.w, C: c.c, Kernel: c.k}
		b.dev.AvgPool(y, b.dense(xv, in, c.c), g)
		b.dev.AvgPoolGrad(dx, b.dense(dv, rows, c.c), g)
		wy, wx := make([]float32, rows*c.c), make([]float32, in*c.c)
		kernel.AvgPool(wy, xv, c.n, c.h, c.w, c.c, c.k)
		kernel.AvgPoolGrad(wx, dv, c.n, c.h, c.w, c.c, c.k)
		b.check("y", y, wy, 1e-6)
		b.check("dx", dx, wx, 1e-6)
	}
}
