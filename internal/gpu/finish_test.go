package gpu_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// Results that begin where four numbers can be taken at once come out as those that do not, whatever the activation, its gradient, and what is in
// bfloat16, by our products and after cuBLASLt's; no bank of shared memory is asked twice.
func TestGemmFinishesFours(t *testing.T) {
	const m, n, k = 21, 72, 8
	last := gpu.Tanh
	if testing.Short() {
		last = gpu.GELUTanh
	}
	for _, gemm := range []string{"ptx", "cublas"} {
		for act := gpu.NoActivation; act <= last; act++ {
			t.Run(fmt.Sprint(gemm, act), func(t *testing.T) {
				b, banks := counted(t)
				if err := b.dev.UseGemm(gemm); err != nil {
					t.Skip(err)
				}
				for form := range 16 { // of the gradient or not, and what is in bfloat16
					grad := form&1 != 0
					av, wv, bias, pre, res := b.coarse(m*k), b.coarse(n*k), b.random(n), b.coarse(m*n), b.random(m*n)
					var got [3][2][]float32
					for way, stride := range []int{n, n + 4, n + 3} {
						spread := func(v []float32) []float32 { // the same numbers in longer rows
							out := make([]float32, m*stride)
							for i := range m {
								copy(out[i*stride:], v[i*n:][:n])
							}
							return out
						}
						none := make([]float32, m*stride)
						c := b.either(form&2 != 0, none, m, n, stride)
						e := gpu.Epilogue{Bias: b.dense(bias, 1, n), Act: act, Positive: form == 5, Pre: b.either(form&4 != 0, none, m, n, stride)}
						if grad {
							e.Act, e.GradOf, e.GradPre = gpu.NoActivation, act, b.either(form&8 != 0, spread(pre), m, n, stride)
						}
						if form&8 == 0 {
							e.Residual = b.up(spread(res), m, n, stride)
						}
						b.must(b.dev.Gemm(c, b.dense(av, m, k), false, b.dense(wv, n, k), true, gpu.BFloat16, e))
						b.must(b.dev.Flush())
						got[way] = [2][]float32{b.numbers(c), b.numbers(e.Pre)}
					}
					for what := range 2 {
						for i, want := range got[2][what] {
							near := 1e-6 * (1 + math.Abs(float64(want)))
							if form&2 != 0 && what == 0 {
								near += math.Abs(float64(want)) / 128
							}
							if gemm == "cublas" && form&6 != 0 {
								near += 0.1 + math.Abs(float64(want))/64 // it rounds before or after the bias, as alignment has it
							}
							for way := range 2 {
								if d := math.Abs(float64(got[way][what][i] - want)); !(d <= near) {
									t.Fatalf("form %04b, way %d, result %d: number %d is %g, want %g", form, way, what, i, got[way][what][i], want)
								}
							}
						}
					}
				}
				for _, c := range banks.Conflicts() {
					t.Error(c)
				}
			})
		}
	}
}
