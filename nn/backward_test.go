package nn

import (
	"math"
	"strings"
	"testing"
)

func TestBackwardErrors(t *testing.T) {
	s := newStack(t, small)
	b := s.graph()
	lonely := NewParam(2, 2)
	lonely.Name = "lonely"
	if _, err := Backward(b.loss, lonely); err == nil || !strings.Contains(err.Error(), "lonely") {
		t.Errorf("parameter outside the graph: %v", err)
	}
	s.params[0].Frozen = true
	if _, err := Backward(b.loss, s.params[0]); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("frozen parameter: %v", err)
	}
	if _, err := Backward(b.features); err == nil || !strings.Contains(err.Error(), "scalar") {
		t.Errorf("loss that is no scalar: %v", err)
	}
}

// Accumulated batches: the seed scales the gradient.
func TestSeedScalesGradients(t *testing.T) {
	s := newStack(t, small)
	b, m, grads := stackMachine(t, NewReference(), s)
	b.fill(t, small, 1, 3, 3)
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	want := floats(t, m, grads.Of[2])
	set(t, grads.Seed, []float32{0.25})
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	for i, d := range floats(t, m, grads.Of[2]) {
		if math.Abs(d-want[i]/4) > 1e-14 {
			t.Fatalf("gradient %d is %g with seed 1/4, %g with 1", i, d, want[i])
		}
	}
}
