package nn

import "testing"

// A graph with GPT-2 small's number of operations whose kernels have nothing to do, because no row is live:
// what is left is the machine's own cost.
func BenchmarkMachineOverhead(b *testing.B) {
	cfg := stackConfig{dim: 12, heads: 3, layers: 12, vocab: 23, prefix: 3, feature: 5, images: 4, tokens: 6}
	s := newStack(b, cfg)
	s.params.Freeze(func(name string) bool { return name != "clip_project.weight" && name != "clip_project.bias" })
	g, m, _ := stackMachine(b, nothing{NewCPU(Float32)}, s)
	g.fill(b, cfg, 1, 6, 2, 4)
	if err := m.RunAll(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.RunAll(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(m.steps)), "ns/node")
}

// nothing is a backend whose kernels do nothing.
type nothing struct{ Backend }

func (nothing) Gemm(c, a Tensor, transA bool, b Operand, transB bool, ep *Epilogue) error { return nil }
func (nothing) ColSum(dst, a Tensor) error                                                { return nil }
func (nothing) ActivateGrad(dx, dy, x Tensor, act Activation) error                       { return nil }
func (nothing) Add(dst, a, b Tensor) error                                                { return nil }
func (nothing) Scale(dst, x, s Tensor) error                                              { return nil }
func (nothing) Zero(dst Tensor) error                                                     { return nil }
func (nothing) LayerNorm(y, x, gain, bias Tensor, eps float32, mean, rstd Tensor) error   { return nil }
func (nothing) LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd Tensor) error      { return nil }
func (nothing) Gather(dst, src, idx Tensor, add bool) error                               { return nil }
func (nothing) ScatterAdd(dst, src, idx Tensor) error                                     { return nil }
func (nothing) Attention(a *AttentionArgs) error                                          { return nil }
func (nothing) AttentionGrad(a *AttentionArgs) error                                      { return nil }
func (nothing) CrossEntropy(a *CrossEntropyArgs) error                                    { return nil }
