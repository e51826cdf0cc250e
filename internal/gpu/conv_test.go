package gpu_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/kernel"
)

func TestConv(t *testing.T) {
	for _, c := range []struct{ n, h, w, c, out, kernel, stride, pad int }{
		{0, 3, 3, 1, 1, 1, 1, 0}, {1, 1, 1, 1, 1, 1, 1, 0}, {2, 5, 7, 3, 4, 3, 1, 1}, {3, 9, 6, 2, 5, 3, 2, 1}, {2, 8, 8, 3, 7, 4, 4, 0}, {2, 5, 3, 11, 13, 1, 1, 0},
		{2, 9, 8, 4, 70, 3, 1, 1}, {1, 7, 12, 12, 9, 3, 2, 1}, {2, 6, 10, 5, 6, 5, 1, 2}, {1, 7, 7, 2, 3, 4, 3, 0}, {3, 1, 1, 4, 5, 3, 1, 1},
	} {
		for _, mode := range []gpu.Mode{gpu.Float32, gpu.TF32x3, gpu.BFloat16} {
			t.Run(fmt.Sprint(c, mode), func(t *testing.T) {
				conv(t, gpu.Conv{Images: c.n, H: c.h, W: c.w, C: c.c, Kernel: c.kernel, Stride: c.stride, Pad: c.pad, Mode: mode}, c.out)
			})
		}
	}
	t.Run("large tiles", func(t *testing.T) {
		gpu.SetLargeTiles(t, 1)
		conv(t, gpu.Conv{Images: 1, H: 13, W: 11, C: 4, Kernel: 3, Stride: 1, Pad: 1, Mode: gpu.BFloat16}, 130)
	})
}

// conv compares a convolution, with everything an epilogue has, and its gradients with the CPU's.
func conv(t *testing.T, g gpu.Conv, out int) {
	b := open(t)
	near := 2e-6
	if g.Mode == gpu.BFloat16 {
		near = 1e-2
	}
	h := kernel.Conv{H: g.H, W: g.W, C: g.C, KH: g.Kernel, KW: g.Kernel, Stride: g.Stride, Pad: g.Pad, Out: out}
	oh, ow := (g.H+2*g.Pad-g.Kernel)/g.Stride+1, (g.W+2*g.Pad-g.Kernel)/g.Stride+1
	in, rows, depth := g.Images*g.H*g.W, g.Images*oh*ow, g.Kernel*g.Kernel*g.C
	xv, wv, bias, dv, res := b.random(in*g.C), b.random(out*depth), b.random(out), b.random(rows*out), b.random(rows*out)
	x, w, dy := b.dense(xv, in, g.C), b.dense(wv, out, depth), b.dense(dv, rows, out)
	y := b.zeros(rows, out)
	b.must(b.dev.Conv2D(y, x, w, g, gpu.Epilogue{Bias: b.dense(bias, 1, out), Act: gpu.QuickGELU, Residual: b.dense(res, rows, out), Positive: true}))
	want := make([]float32, rows*out)
	p := new(kernel.Packed)
	p.Pack(mat(wv, out, depth, depth).T(), kernel.F32)
	sum := mat(res, rows, out, out)
	kernel.Conv2D(want, xv, g.Images, h, p, &kernel.Epilogue{Bias: bias, Act: kernel.QuickGELU, Residual: &sum, Positive: true})
	b.check("y", y, want, near)
	if g.Mode == gpu.BFloat16 && g.Images > 0 { // the same numbers from a weight that is there in bfloat16
		half := b.dense(make([]float32, (len(wv)+1)/2), 1, (len(wv)+1)/2)
		b.dev.ToHalf(half.Ptr, w.Ptr, len(wv))
		again, with := b.zeros(rows, out), w
		with.Half = half.Ptr
		b.must(b.dev.Conv2D(again, x, with, g, gpu.Epilogue{Bias: b.dense(bias, 1, out), Act: gpu.QuickGELU, Residual: b.dense(res, rows, out), Positive: true}))
		limit := 0.0
		if g.Kernel == 1 { // few rows are not rounded
			limit = near
		}
		b.check("y of a weight in bfloat16", again, b.down(y), limit)
	}
	dx, dw := b.zeros(in, g.C), b.zeros(out, depth)
	b.rec.Forget()
	b.must(b.dev.Conv2DGrad(dx, dw, dy, x, w, g))
	b.must(b.dev.Sync())
	plain := g.Kernel == 1 && g.Stride == 1 && g.Pad == 0
	if names := b.rec.Launches(); g.Images > 0 && slices.Contains(names, "im2col") || slices.Contains(names, "col2im") != (g.Images > 0 && g.Stride > 1 && !plain) {
		t.Errorf("gradients by %v", names)
	}
	wx, ww := make([]float32, in*g.C), make([]float32, out*depth)
	kernel.Conv2DGradX(wx, dv, g.Images, h, mat(wv, out, depth, depth), kernel.Float32)
	kernel.Conv2DGradW(mat(ww, out, depth, depth), dv, xv, g.Images, h, kernel.Float32)
	b.check("dx", dx, wx, near)
	b.check("dw", dw, ww, near)
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
