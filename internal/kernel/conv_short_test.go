package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A convolution of few channels gives the bits of the product of its patches, and with weights in bfloat16 those of
// the same weights in float32.
func TestConvShort(t *testing.T) {
	for _, f := range []struct {
		n int
		c Conv
	}{
		{2, Conv{7, 5, 3, 3, 3, 2, 1, 32}}, {1, Conv{35, 33, 3, 3, 3, 2, 1, 40}}, {3, Conv{64, 66, 3, 3, 3, 2, 1, 48}},
		{2, Conv{13, 17, 3, 3, 3, 1, 1, 33}}, {1, Conv{6, 7, 3, 3, 3, 1, 2, 70}}, {2, Conv{9, 9, 3, 3, 3, 4, 0, 64}},
		{1, Conv{12, 11, 9, 1, 1, 2, 0, 5}}, {2, Conv{5, 8, 9, 3, 1, 1, 1, 17}}, {1, Conv{4, 4, 2, 3, 3, 1, 3, 3}},
		{1, Conv{2, 9, 3, 2, 5, 3, 2, 4}}, {1, Conv{3, 3, 1, 3, 3, 1, 1, 1}}, {2, Conv{14, 9, 3, 4, 4, 4, 0, 100}}, {1, Conv{1, 1, 3, 3, 3, 2, 1, 8}},
	} {
		t.Run(fmt.Sprint(f.n, f.c), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(15, 16))
			oh, ow := f.c.OutSize()
			rows := f.n * oh * ow
			x, checkX := fencedSlice(rng, f.n*f.c.H*f.c.W*f.c.C)
			bias, _ := fencedSlice(rng, f.c.Out)
			w := fenced(rng, f.c.Out, f.c.depth(), false)
			rounded := w
			rounded.V = slices.Clone(w.V)
			for i, v := range rounded.V {
				rounded.V[i] = roundBF16(v)
			}
			eachISA(t, func(t *testing.T) {
				for _, ep := range []*Epilogue{nil, {Bias: bias, Act: ReLU}, {Act: GELUErf}, {Bias: bias}} {
					for _, format := range []Format{F32, BF16} {
						var p, q Packed
						p.Pack(w.T(), format)
						from := w
						if format == BF16 {
							from = rounded
						}
						q.Pack(from.T(), F32)
						var long Epilogue // which keeps the sums, and so is not short
						if ep != nil {
							long = *ep
						}
						pre := fenced(rng, rows, f.c.Out, false)
						long.Pre = &pre
						if !f.c.short(&p, ep) || f.c.short(&q, &long) {
							t.Fatal("this compares nothing")
						}
						y, checkY := fencedSlice(rng, rows*f.c.Out)
						want, _ := fencedSlice(rng, rows*f.c.Out)
						Conv2D(y, x, f.n, f.c, &p, ep)
						Conv2D(want, x, f.n, f.c, &q, &long)
						checkX(t)
						checkY(t)
						for i, v := range y {
							if v != want[i] {
								t.Fatalf("%v, %+v: y[%d, %d] = %v, want %v", format, ep, i/f.c.Out, i%f.c.Out, v, want[i])
							}
						}
					}
				}
			})
		})
	}
}
