package nn

import (
	"math"
	"testing"
)

// spares counts the gradients of attention that go without its result.
func spares(m *Machine) (n int) {
	for _, s := range m.steps {
		if s.op.Kind() == "AttentionGrad" && s.in[s.op.spared-1] == nil {
			n++
		}
	}
	return n
}

// TestSpare: behind frozen projections attention's result is not kept for its gradient, which is the reference's all the same; where the
// projections are trained, their gradients keep it anyway.
func TestSpare(t *testing.T) {
	c := small
	c.layers = 5 // those near the loss are used again too soon
	for _, frozen := range []bool{true, false} {
		s := newStack(t, c)
		if frozen {
			for _, p := range s.params {
				p.Frozen = p != s.Mapper.Weight && p != s.Mapper.Bias
			}
		}
		run := func(be Backend) (*Machine, []float64) {
			b, m, grads := stackMachine(t, be, s)
			b.fill(t, c, 3, 4, 6, 1, 0, 5)
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			var all []float64
			for _, g := range grads.Of {
				all = append(all, floats(t, m, g)...)
			}
			return m, all
		}
		ref, want := run(NewReference())
		cpu, got := run(NewCPU(Float32))
		if n := spares(ref); n != 0 {
			t.Errorf("frozen %v: the reference spares %d results", frozen, n)
		}
		if n := spares(cpu); (n >= 3) != frozen {
			t.Errorf("frozen %v: %d of %d results are spared", frozen, n, c.layers)
		}
		for i := range want {
			if !(math.Abs(got[i]-want[i]) <= 1e-5*(1+math.Abs(want[i]))) {
				t.Fatalf("frozen %v: gradient %d is %g, want %g", frozen, i, got[i], want[i])
			}
		}
		for _, m := range []*Machine{ref, cpu} {
			m.Close()
		}
	}
}
