package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var convCases = []struct {
	n int
	c Conv
}{
	{2, Conv{7, 5, 3, 3, 3, 2, 1, 32}},     // the ResNet's first
	{1, Conv{13, 13, 8, 3, 3, 1, 1, 17}},   // odd size
	{3, Conv{14, 14, 3, 7, 7, 7, 0, 40}},   // patches side by side
	{2, Conv{9, 9, 5, 1, 1, 1, 0, 33}},     // a plain product
	{2, Conv{8, 6, 5, 1, 1, 2, 0, 7}},      // every second pixel
	{1, Conv{4, 4, 2, 3, 3, 1, 3, 3}},      // kernels that lie in the padding
	{1, Conv{2, 9, 3, 2, 5, 3, 2, 4}},      // not square
	{1, Conv{1, 1, 1, 1, 1, 1, 0, 1}},      // one
	{1, Conv{2, 2, 3, 5, 5, 1, 0, 4}},      // does not fit
	{0, Conv{7, 5, 3, 3, 3, 2, 1, 8}},      // nothing
	{2, Conv{28, 28, 64, 3, 3, 1, 1, 64}},  // several blocks
	{1, Conv{30, 17, 130, 3, 3, 1, 1, 20}}, // long patches
}

// fencedSlice is n random numbers with fences around them; check fails if those changed.
func fencedSlice(rng *rand.Rand, n int) (v []float32, check func(t *testing.T)) {
	m := fenced(rng, 1, n, false)
	return m.V[:n:n], func(t *testing.T) { t.Helper(); checkFences(t, m) }
}

// reference is a convolution by definition: for every product of an output pixel, an input element
// and a weight it calls term with their indices.
func (c Conv) reference(n int, term func(y, x, w int)) {
	oh, ow := c.OutSize()
	for i := range n * oh * ow {
		for ky := range c.KH {
			for kx := range c.KW {
				py, px := i/ow%oh*c.Stride-c.Pad+ky, i%ow*c.Stride-c.Pad+kx
				if py < 0 || py >= c.H || px < 0 || px >= c.W {
					continue
				}
				for ch := range c.C {
					x := ((i/(oh*ow)*c.H+py)*c.W+px)*c.C + ch
					for o := range c.Out {
						term(i*c.Out+o, x, o*c.depth()+(ky*c.KW+kx)*c.C+ch)
					}
				}
			}
		}
	}
}

func TestConv2D(t *testing.T) {
	for _, f := range convCases {
		t.Run(fmt.Sprint(f.n, f.c), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			c := f.c
			oh, ow := c.OutSize()
			rows := f.n * oh * ow
			x, _ := fencedSlice(rng, f.n*c.H*c.W*c.C)
			dy, _ := fencedSlice(rng, rows*c.Out)
			bias, _ := fencedSlice(rng, c.Out)
			w := fenced(rng, c.Out, c.depth(), false)
			residual := fenced(rng, rows, c.Out, false)
			want, wantX, wantW := make([]float64, rows*c.Out), make([]float64, len(x)), make([]float64, c.Out*c.depth())
			c.reference(f.n, func(i, j, k int) {
				weight := float64(w.at(k/c.depth(), k%c.depth()))
				want[i] += float64(x[j]) * weight
				wantX[j] += float64(dy[i]) * weight
				wantW[k] += float64(dy[i]) * float64(x[j])
			})
			wantPre := slices.Clone(want)
			for i := range want {
				wantPre[i] += float64(bias[i%c.Out])
				want[i] = max(wantPre[i], 0) + float64(residual.at(i/c.Out, i%c.Out))
			}
			eachISA(t, func(t *testing.T) {
				y, checkY := fencedSlice(rng, rows*c.Out)
				pre := fenced(rng, rows, c.Out, false)
				var p Packed
				p.Pack(w.T(), F32)
				Conv2D(y, x, f.n, c, &p, &Epilogue{Bias: bias, Act: ReLU, Pre: &pre, Residual: &residual})
				checkY(t)
				checkFences(t, pre)
				checkClose(t, "y", y, want, 1e-4)
				for i := range rows {
					checkClose(t, "pre", pre.segment(i, 0, c.Out), wantPre[i*c.Out:], 1e-4)
				}
				dx, checkX := fencedSlice(rng, len(x))
				Conv2DGradX(dx, dy, f.n, c, w, Float32)
				checkX(t)
				checkClose(t, "dx", dx, wantX, 1e-4)
				dw := fenced(rng, c.Out, c.depth(), false)
				Conv2DGradW(dw, dy, x, f.n, c, Float32)
				checkFences(t, dw)
				for o := range c.Out {
					checkClose(t, "dw", dw.segment(o, 0, c.depth()), wantW[o*c.depth():], 1e-4)
				}
			})
		})
	}
}

func checkClose(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	for i, x := range got {
		if diff := math.Abs(float64(x) - want[i]); !(diff <= tol*(1+math.Abs(want[i]))) {
			t.Fatalf("%s [%d] = %v, want %v", what, i, x, want[i])
		}
	}
}

func TestAvgPool(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, f := range []struct{ n, h, w, c, k int }{
		{2, 4, 6, 64, 2}, {1, 5, 7, 3, 2}, {3, 9, 9, 17, 3}, {1, 1, 1, 1, 1}, {2, 3, 3, 5, 4}, {0, 4, 4, 4, 2}, {1, 14, 14, 131, 7}, {1, 6, 2, 33, 2}, {1, 56, 56, 64, 2},
	} {
		oh, ow := f.h/f.k, f.w/f.k
		x, _ := fencedSlice(rng, f.n*f.h*f.w*f.c)
		dy, _ := fencedSlice(rng, f.n*oh*ow*f.c)
		want, wantX := make([]float64, len(dy)), make([]float64, len(x))
		for i := range x {
			ch, px, py, img := i%f.c, i/f.c%f.w, i/f.c/f.w%f.h, i/f.c/f.w/f.h
			if px/f.k < ow && py/f.k < oh {
				o := ((img*oh+py/f.k)*ow+px/f.k)*f.c + ch
				want[o] += float64(x[i]) / float64(f.k*f.k)
				wantX[i] = float64(dy[o]) / float64(f.k*f.k)
			}
		}
		eachISA(t, func(t *testing.T) {
			y, checkY := fencedSlice(rng, len(dy))
			AvgPool(y, x, f.n, f.h, f.w, f.c, f.k)
			checkY(t)
			checkClose(t, fmt.Sprint("y ", f), y, want, 1e-6)
			dx, checkX := fencedSlice(rng, len(x))
			AvgPoolGrad(dx, dy, f.n, f.h, f.w, f.c, f.k)
			checkX(t)
			checkClose(t, fmt.Sprint("dx ", f), dx, wantX, 1e-6)
		})
	}
}

func TestConvAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := Conv{28, 28, 16, 3, 3, 1, 1, 24}
	x, _ := fencedSlice(rng, 2*28*28*16)
	y, _ := fencedSlice(rng, 2*28*28*24)
	w := fenced(rng, 24, c.depth(), false)
	var p Packed
	p.Pack(w.T(), F32)
	ep := &Epilogue{Act: ReLU}
	short := Conv{28, 28, 3, 3, 3, 2, 1, 24}
	var q Packed
	q.Pack(fenced(rng, 24, short.depth(), false).T(), BF16)
	if n := testing.AllocsPerRun(10, func() {
		Conv2D(y, x, 2, c, &p, ep)
		Conv2D(y, x, 2, short, &q, ep)
		Conv2DGradX(x, y, 2, c, w, Float32)
		Conv2DGradW(w, y, x, 2, c, Float32)
		AvgPool(y, x, 2, 28, 28, 16, 2)
	}); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}
