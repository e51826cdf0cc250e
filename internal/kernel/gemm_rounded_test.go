package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Two products with a rounded matrix between them give bit for bit what two of float32 matrices give, with every
// epilogue, and write nowhere else.
func TestGemmRounded(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		var between Rounded // keeps its memory from shape to shape
		for _, s := range [][4]int{{1, 1, 1, 1}, {5, 0, 3, 2}, {0, 4, 4, 4}, {3, 40, 31, 7}, {14, 64, 96, 33}, {37, 33, 65, 130}, {61, 700, 105, 40}, {131, 96, 320, 64}, {29, 31, 1000, 3}} {
			m, k, h, n := s[0], s[1], s[2], s[3]
			rng := rand.New(rand.NewPCG(uint64(m), uint64(h)))
			for trans := range 4 {
				a, w1, w2 := fenced(rng, m, k, trans&1 > 0), fenced(rng, k, h, trans&2 > 0), fenced(rng, h, n, false)
				bias, grad, residual := fenced(rng, 1, h, false), fenced(rng, m, h, false), fenced(rng, m, h, false)
				var p1, p2 Packed
				p1.Pack(w1, BF16)
				p2.Pack(w2, BF16)
				for e, ep := range []*Epilogue{nil, {Bias: bias.segment(0, 0, h), Act: QuickGELU}, {Bias: bias.segment(0, 0, h), Residual: &residual, Positive: true},
					{Act: GELUTanh, GradOf: Tanh, GradPre: &grad, Residual: &residual, Positive: true},
					{Bias: bias.segment(0, 0, h), Act: GELUTanh}, {Act: ReLU}} {
					last := &Epilogue{Act: Tanh}
					wantPre, gotPre := fenced(rng, m, h, false), fenced(rng, m, h, false)
					if e >= 3 {
						ep.Pre = &wantPre
					}
					c, want, got := fenced(rng, m, h, false), fenced(rng, m, n, false), fenced(rng, m, n, false)
					Gemm(c, a, &p1, ep)
					Gemm(want, c, &p2, last)
					if e >= 3 {
						ep.Pre = &gotPre
					}
					onWorkers(func() {
						GemmRounded(&between, a, &p1, ep)
						MulRounded(got, &between, &p2, last)
						checkFences(t, got)
						checkFences(t, gotPre)
						for i := range m {
							if fmt.Sprint(bitsOf(got, i)) != fmt.Sprint(bitsOf(want, i)) {
								t.Fatalf("%v, epilogue %d: row %d differs", s, e, i)
							}
							if e >= 3 && fmt.Sprint(bitsOf(gotPre, i)) != fmt.Sprint(bitsOf(wantPre, i)) {
								t.Fatalf("%v: row %d of Pre differs", s, i)
							}
						}
					})
					if e < 3 {
						continue
					}
					pre, check := guardedRounded(m, h)
					ep.Pre, ep.PreRounded = nil, &pre
					onWorkers(func() {
						GemmRounded(&between, a, &p1, ep)
						MulRounded(got, &between, &p2, last)
						check(t, "PreRounded")
						pre.Widen(gotPre)
						for i := range m {
							for j, v := range wantPre.segment(i, 0, h) {
								if gotPre.segment(i, 0, h)[j] != roundBF16(v) {
									t.Fatalf("%v, epilogue %d: row %d of Pre, rounded, has %g for %g", s, e, i, gotPre.segment(i, 0, h)[j], v)
								}
							}
							if fmt.Sprint(bitsOf(got, i)) != fmt.Sprint(bitsOf(want, i)) {
								t.Fatalf("%v, epilogue %d: row %d differs with Pre rounded", s, e, i)
							}
						}
					})
				}
			}
		}
	})
}

func TestGemmRoundedRefuses(t *testing.T) {
	panics := func(what string, f func()) {
		defer func() {
			if recover() == nil {
				t.Errorf("%s went through", what)
			}
		}()
		f()
	}
	rng := rand.New(rand.NewPCG(1, 2))
	a, w := fenced(rng, 3, 8, false), fenced(rng, 8, 8, false)
	var f32, bf16 Packed
	f32.Pack(w, F32)
	bf16.Pack(w, BF16)
	var r Rounded
	panics("a float32 right operand", func() { GemmRounded(&r, a, &f32, nil) })
	GemmRounded(&r, a, &bf16, nil)
	panics("a float32 second operand", func() { MulRounded(a, &r, &f32, nil) })
	deep := fenced(rng, 9, 8, false)
	bf16.Pack(deep, BF16)
	panics("another depth", func() { MulRounded(a, &r, &bf16, nil) })
}

func TestGemmRoundedAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	a, w, c := fenced(rng, 70, 64, false), fenced(rng, 64, 64, false), fenced(rng, 70, 64, false)
	var p Packed
	p.Pack(w, BF16)
	var r Rounded
	ep := &Epilogue{Act: GELUTanh}
	noAllocs(t, "GemmRounded and MulRounded", func() { GemmRounded(&r, a, &p, ep); MulRounded(c, &r, &p, nil) })
}

// BenchmarkMLP is the two products of ViT-B/32's MLP, batch 64, with float32 between them and rounded.
func BenchmarkMLP(b *testing.B) {
	for _, s := range [][3]int{{3200, 768, 3072}, {50, 768, 3072}, {480, 768, 3072}} {
		m, d, h := s[0], s[1], s[2]
		x, y, mid := Mat(alignedFloats(m*d), m, d), Mat(alignedFloats(m*d), m, d), Mat(alignedFloats(m*h), m, h)
		bias, out := make([]float32, h), make([]float32, d)
		var w1, w2 Packed
		w1.Pack(Mat(alignedFloats(d*h), d, h), BF16)
		w2.Pack(Mat(alignedFloats(d*h), h, d), BF16)
		var r Rounded
		first, second := &Epilogue{Bias: bias, Act: QuickGELU}, &Epilogue{Bias: out, Residual: &x}
		b.Run(fmt.Sprintf("%dx%dx%d", m, d, h), func(b *testing.B) {
			b.Run("float32", func(b *testing.B) {
				for b.Loop() {
					Gemm(mid, x, &w1, first)
					Gemm(y, mid, &w2, second)
				}
			})
			b.Run("rounded", func(b *testing.B) {
				for b.Loop() {
					GemmRounded(&r, x, &w1, first)
					MulRounded(y, &r, &w2, second)
				}
			})
		})
	}
}
