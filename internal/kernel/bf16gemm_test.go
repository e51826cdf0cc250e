package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkGemmBF16 is bfloat16 products with packed weights: the shapes of a GPT-2 training step, then
// decoding. GB/s counts the weights.
func BenchmarkGemmBF16(b *testing.B) {
	for _, s := range [][3]int{
		{1200, 768, 3072}, {1200, 3072, 768}, {1200, 768, 2304}, {2000, 768, 3072}, {3200, 768, 3072},
		{480, 768, 50257}, {1200, 768, 50257}, {16, 768, 50257}, {5, 768, 50257}, {1, 768, 50257}, {1, 768, 3072},
	} {
		m, k, n := s[0], s[1], s[2]
		x, c := Mat(alignedFloats(m*k), m, k), Mat(alignedFloats(m*n), m, n)
		var w Packed
		w.Pack(Mat(alignedFloats(k*n), k, n), BF16)
		b.Run(fmt.Sprintf("%dx%dx%d", m, k, n), func(b *testing.B) {
			for b.Loop() {
				Gemm(c, x, &w, nil)
			}
			ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			b.ReportMetric(2*float64(m*k*n)/ns, "GFLOP/s")
			b.ReportMetric(2*float64(k*n)/ns, "GB/s")
		})
	}
}
