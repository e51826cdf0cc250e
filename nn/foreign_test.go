package nn

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"
)

// One graph, two machines: ours and Gorgonia's TapeMachine, over several steps of gradient descent on
// batches of different lengths.
func TestTapeMachineAgrees(t *testing.T) {
	cfg := small
	cfg.drop = 0.2
	s := newStack(t, cfg)
	b, m, grads := stackMachine(t, NewCPU(Float32), s)
	tape := G.NewTapeMachine(b.g)
	defer tape.Close()
	var first, last float64
	for step := range 6 {
		b.fill(t, cfg, uint64(step%2), 6, 2, 1+step%3)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		tape.Reset()
		if err := tape.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i, n := range append(G.Nodes{b.loss}, grads.Of...) {
			got, want := floats(t, m, n), n.Value().(*Value)
			theirs, err := want.Floats()
			if err != nil {
				t.Fatal(err)
			}
			if d := maxDiff(got, theirs); d > 1e-12 {
				t.Fatalf("step %d, output %d: machines differ by %g", step, i, d)
			}
		}
		loss := floats(t, m, b.loss)[0]
		if step == 0 {
			first = loss
		}
		last = loss
		for i, p := range s.params {
			for j, d := range floats(t, m, grads.Of[i]) {
				p.Data[j] -= float32(0.05 * d)
			}
			p.Changed()
		}
	}
	if !(last < first) {
		t.Errorf("loss went from %.4f to %.4f", first, last)
	}
}

// Gorgonia's own operations run among ours.
func TestForeignOperations(t *testing.T) {
	g := G.NewGraph()
	x := NewInput(g, "x", Float, 2, 3)
	y := GELU(G.Must(G.Neg(x)))
	m, err := NewMachine(NewReference(), y)
	if err != nil {
		t.Fatal(err)
	}
	set(t, x, []float32{1, -2, 3, 0, 0.5, -1})
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	for i, v := range []float64{1, -2, 3, 0, 0.5, -1} {
		if got, want := floats(t, m, y)[i], activate(GELUTanhAct, -v); math.Abs(got-want) > 1e-6 {
			t.Errorf("element %d: %g, want %g", i, got, want)
		}
	}
}
