package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// wantEpilogue applies ep to sums in float64 steps, through the exported activations.
func wantEpilogue(sum []float64, n int, ep *Epilogue) []float64 {
	out := make([]float64, len(sum))
	for i := range sum {
		v := float32(sum[i])
		if ep.Bias != nil {
			v += ep.Bias[i%n]
		}
		one := []float32{v}
		Act(one, one, ep.Act)
		switch {
		case ep.GradPre != nil:
			ActGrad(one, one, []float32{ep.GradPre.at(i/n, i%n)}, ep.GradOf)
		case ep.GradPreRounded != nil:
			ActGrad(one, one, []float32{f32OfBF16(ep.GradPreRounded.row(i / n)[i%n])}, ep.GradOf)
		}
		out[i] = float64(one[0])
		if ep.Residual != nil {
			out[i] += float64(ep.Residual.at(i/n, i%n))
		}
		if ep.Positive {
			out[i] = max(out[i], 0)
		}
	}
	return out
}

func TestEpilogue(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, s := range [][3]int{{1, 5, 1}, {7, 40, 33}, {31, 20, 70}, {29, 900, 11}, {40, 400, 45}, {75, 70, 77}} {
			m, k, n := s[0], s[1], s[2]
			for _, f := range []Format{F32, BF16x3, BF16, Int8} {
				for parts := range 64 {
					rng := rand.New(rand.NewPCG(uint64(parts), uint64(m)))
					a, b := fenced(rng, m, k, false), fenced(rng, k, n, false)
					c, pre, grad, res := fenced(rng, m, n, false), fenced(rng, m, n, false), fenced(rng, m, n, false), fenced(rng, m, n, false)
					var ep Epilogue
					if parts&1 > 0 {
						ep.Bias = make([]float32, n)
						for i := range ep.Bias {
							ep.Bias[i] = rng.Float32()
						}
					}
					if parts&2 > 0 {
						ep.Act = Activation(1 + rng.IntN(int(Tanh)))
					}
					preRounded, checkPre := guardedRounded(m, n)
					gradRounded, checkGrad := guardedRounded(m, n)
					if parts&4 > 0 {
						ep.Pre = &pre
						if rng.IntN(2) > 0 {
							ep.Pre, ep.PreRounded = nil, &preRounded
						}
					}
					if parts&8 > 0 {
						ep.GradOf, ep.GradPre = Activation(rng.IntN(int(Tanh)+1)), &grad
						if rng.IntN(2) > 0 {
							gradRounded.Round(grad)
							ep.GradPre, ep.GradPreRounded = nil, &gradRounded
						}
					}
					if parts&16 > 0 {
						ep.Residual = &res
						if m > 5 {
							ep.Residual = &c // c += a·b
						}
					}
					ep.Positive = parts&32 > 0
					t.Run(fmt.Sprint(s, f, parts), func(t *testing.T) {
						sum, size := product(a, b)
						want := wantEpilogue(sum, n, &ep)
						for i := range size {
							size[i] = 4 + 4*math.Abs(size[i])
						}
						var p Packed
						p.Pack(b, f)
						Gemm(c, a, &p, &ep)
						checkProduct(t, c, want, size, formatError(f, k))
						if ep.Residual != &c {
							result, check := guardedRounded(m, n)
							ep.Result = &result
							Gemm(Matrix{Rows: m, Cols: n, Stride: n}, a, &p, &ep)
							check(t, "Result")
							for i := range m {
								for j, v := range c.segment(i, 0, n) {
									if got := f32OfBF16(result.row(i)[j]); got != roundBF16(v) && math.Abs(float64(v)) >= 0x1p-126 { // subnormals may become zero
										t.Fatalf("c[%d][%d] = %v, to rounded rows %v", i, j, v, got)
									}
								}
							}
						}
						for _, g := range []Matrix{c, pre, grad, res} {
							checkFences(t, g)
						}
						checkPre(t, "PreRounded")
						checkGrad(t, "GradPreRounded")
						tolerance := formatError(f, k)
						if ep.PreRounded != nil {
							ep.Pre = &pre
							preRounded.Widen(pre)
							tolerance += 1.0 / 512
						}
						if ep.Pre != nil {
							checkProduct(t, pre, wantEpilogue(sum, n, &Epilogue{Bias: ep.Bias}), size, tolerance)
						}
					})
				}
			}
		}
	})
}
