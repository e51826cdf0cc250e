package nn

import (
	"errors"
	"math"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
)

func maxDiff(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var d float64
	for i := range a {
		if x := math.Abs(a[i] - b[i]); !(x <= d) {
			d = x
		}
	}
	return d
}

// A frozen language model costs no weight gradient: no kernel for one, no buffer for one, and the
// mapper's gradients are the same numbers.
func TestFrozenPartsCostNothing(t *testing.T) {
	s := newStack(t, small)
	b, m, grads := stackMachine(t, NewReference(), s)
	b.fill(t, small, 1, 6, 2, 4)
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	want := floats(t, m, grads.Of[0])

	s.params.Freeze(func(name string) bool { return strings.HasPrefix(name, "gpt.") })
	fb, fm, fg := stackMachine(t, NewReference(), s)
	if len(fg.Of) != 2 {
		t.Fatalf("%d gradients, want those of the mapper's weight and bias", len(fg.Of))
	}
	fb.fill(t, small, 1, 6, 2, 4)
	if err := fm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if d := maxDiff(floats(t, fm, fg.Of[0]), want); d > 1e-12 {
		t.Errorf("the mapper's gradient changes by %g when the rest is frozen", d)
	}
	k := kinds(fm)
	if k["MatMul.dw"] != 1 || k["ColSum"] != 1 || k["CrossEntropyGrad"] != 0 || k["LayerNormGrad.tap"] != 0 || k["Scatter"] != 2 {
		t.Errorf("frozen operations have gradients: %v", k)
	}
	weights := map[int]bool{}
	for _, p := range s.params {
		if p.Frozen && len(p.Shape) == 2 {
			weights[p.Shape[0]*1000+p.Shape[1]] = true
		}
	}
	for _, st := range fm.steps {
		for _, v := range st.out {
			if v != nil && len(v.shape) == 2 && weights[v.shape[0]*1000+v.shape[1]] {
				t.Errorf("%v has a buffer of a frozen weight's shape %v", st.node.Op(), v.shape)
			}
		}
	}
	if all := kinds(m)["MatMul.dw"]; all != 1+4*small.layers {
		t.Errorf("%d weight gradients with everything trainable, want %d", all, 1+4*small.layers)
	}
}

// The memory plan never lets two live results overlap: a run with every result in memory of its own gives
// the same bits.
func TestPlanSharesMemorySafely(t *testing.T) {
	s := newStack(t, small)
	var results [2][][]float64
	for own := range 2 {
		b, m, grads := stackMachine(t, NewReference(), s)
		if p := m.Plan(); p.Arena >= p.Sum*2/3 {
			t.Errorf("arena of %d numbers for results of %d in all", p.Arena, p.Sum)
		}
		if own == 1 {
			for i := range m.steps {
				for _, v := range m.steps[i].out {
					if v != nil {
						v.mem.Buf, v.mem.Off = &refBuffer{f: make([]float64, max(1, v.Size()))}, 0
					}
				}
			}
		}
		b.fill(t, small, 5, 1, 6, 3)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		for _, n := range append(G.Nodes{b.loss}, grads.Of...) {
			results[own] = append(results[own], floats(t, m, n))
		}
	}
	for i := range results[0] {
		if d := maxDiff(results[0][i], results[1][i]); d != 0 {
			t.Errorf("output %d differs by %g between shared and own memory", i, d)
		}
	}
}

// Rows beyond the live ones change nothing: the same captions in a roomier graph.
func TestLiveRows(t *testing.T) {
	s := newStack(t, small)
	b, m, grads := stackMachine(t, NewReference(), s)
	roomy := *s
	roomy.config.images = 7
	b2, m2, grads2 := stackMachine(t, NewReference(), &roomy)
	for _, lengths := range [][]int{{6, 6, 6}, {1}, {2, 0, 5}} {
		b.fill(t, small, 9, lengths...)
		b2.fill(t, roomy.config, 9, lengths...)
		if err := errors.Join(m.RunAll(), m2.RunAll()); err != nil {
			t.Fatal(err)
		}
		for i := range grads.Of {
			if d := maxDiff(floats(t, m, grads.Of[i]), floats(t, m2, grads2.Of[i])); d > 1e-14 {
				t.Errorf("lengths %v: gradient %d differs by %g", lengths, i, d)
			}
		}
	}
}

func TestBadShapesPanic(t *testing.T) {
	g := G.NewGraph()
	x := NewInput(g, "x", Float, 4, 6)
	w := NewInput(g, "w", Float, 5, 3)
	id := NewInput(g, "id", Int32, 4)
	for name, f := range map[string]func(){
		"MatMul":       func() { MatMul(x, w, false) },
		"Add":          func() { Add(x, w) },
		"LayerNorm":    func() { layerNorm(x, w, w, 1e-5) },
		"Attention":    func() { Attend(x, NewSequences(g, "s", 2, false), 4, true) },
		"Gather":       func() { Gather(Pick{x, id}, Pick{w, id}) },
		"CrossEntropy": func() { UnembedCrossEntropy(x, w, id) },
		"Conv2D":       func() { Conv2D(x, w, nil, Conv{H: 2, W: 2, Kernel: 3, Stride: 1}, NoActivation) },
		"SplitRows":    func() { SplitRows(x, 4) },
		"Dropout":      func() { Dropout(x, 1, NewRandom(g)) },
	} {
		func() {
			defer func() {
				if r, ok := recover().(string); !ok || !strings.Contains(r, name) || !strings.ContainsAny(r, "0123456789") {
					t.Errorf("%s: panic %q does not name operation and shapes", name, r)
				}
			}()
			f()
		}()
	}
}
