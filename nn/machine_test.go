package nn

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
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

func TestBadInputIsAnError(t *testing.T) {
	s := newStack(t, small)
	b, m, _ := stackMachine(t, NewReference(), s)
	want := func(err error, parts ...string) {
		t.Helper()
		if err == nil {
			t.Errorf("no error, want one with %q", parts)
			return
		}
		for _, p := range parts {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("error %q does not say %q", err, p)
			}
		}
	}
	want(m.RunAll(), "was not set")
	b.fill(t, small, 1, 6, 2, 4)
	want(Set(b.features, make([]float32, 6*small.feature)), "features", "6 rows", "at most 5")
	want(Set(b.features, make([]float32, 7)), "whole number of rows")
	want(Set(b.features, make([]int32, 5)), "want float32")
	want(Set(b.ids, []int32{0, 23}), "ids", "index 23", "less than 23")
	want(Set(b.seqs.Starts, []int32{0, 4, 2}), "start 2", "after 4")
	want(Set(b.seqs.Starts, []int32{1, 4}), "first must be 0")
	want(Set(b.seqs.Starts, nil), "int32")
	set(t, b.seqs.Starts, []int32{0, 4, 5, 6})
	want(m.RunAll(), "Attention", "6 rows", "21 are live")
	b.fill(t, small, 1, 6, 2, 4)
	set(t, b.targets, []int32{1})
	want(m.RunAll(), "CrossEntropy", "12", "1")
	b.fill(t, small, 1, 6, 2, 4)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := m.Run(ctx)
	want(err, "stopped before")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not wrap context.Canceled", err)
	}
	if err := m.RunAll(); err != nil {
		t.Errorf("a machine runs again after errors: %v", err)
	}
}

// Shapes that cannot work are a caller's bug: the panic names operation and shapes.
// TestFill holds that numbers written in place are those that Set copies, on backends that read them there and on others.
func TestFill(t *testing.T) {
	for _, be := range []Backend{NewCPU(Float32), NewReference()} {
		g := G.NewGraph()
		x, ids := NewInput(g, "x", Float, 4, 3), NewInput(g, "ids", Int32, 4)
		y := Add(x, x)
		m, err := NewMachine(be, y)
		if err != nil {
			t.Fatal(err)
		}
		for rows := 1; rows <= 4; rows++ {
			data := make([]float32, 3*rows)
			for i := range data {
				data[i] = float32(i + rows)
			}
			var got [2][]float32
			for i, set := range []func() error{
				func() error { return Set(x, data) },
				func() error { return Fill(x, rows, func(dst []float32) { copy(dst, data) }) },
			} {
				if err := set(); err != nil {
					t.Fatal(err)
				}
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				if got[i], err = m.Value(y).Float32s(); err != nil {
					t.Fatal(err)
				}
			}
			if len(got[0]) != 3*rows || got[0][1] != 2*data[1] || !slices.Equal(got[0], got[1]) {
				t.Errorf("%s, %d rows: %v by Set, %v by Fill", be.Name(), rows, got[0], got[1])
			}
		}
		nothing := func([]float32) { t.Error("filled what cannot be") }
		for want, err := range map[string]error{"5 rows": Fill(x, 5, nothing), "int32": Fill(ids, 1, nothing), "not an input": Fill(y, 1, nothing)} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want an error with %q", err, want)
			}
		}
		m.Close()
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
