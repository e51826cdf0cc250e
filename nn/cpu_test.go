package nn

import (
	"errors"
	"math"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
)

// opResults are the value and all gradients of a case on a backend.
func opResults(t *testing.T, c opCase, be Backend) [][]float64 {
	t.Helper()
	params := randomParams(11, c.shapes)
	g := G.NewGraph()
	var nodes []*G.Node
	for _, p := range params {
		nodes = append(nodes, p.Node(g))
	}
	y := c.build(t, g, nodes)
	grads, err := Backward(weighted(t, y), params...)
	if err != nil {
		t.Fatal(err)
	}
	outputs := append(G.Nodes{y}, grads.Of...)
	m, err := NewMachine(be, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	var results [][]float64
	for _, n := range outputs {
		results = append(results, floats(t, m, n))
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return results
}

// Every operation and every gradient on the CPU agrees with the float64 reference.
func TestCPUAgreesWithReference(t *testing.T) {
	for _, c := range opCases() {
		t.Run(c.name, func(t *testing.T) {
			var results [2][][]float64
			for i, be := range []Backend{NewReference(), NewCPU(Float32)} {
				results[i] = opResults(t, c, be)
			}
			for i, want := range results[0] {
				scale := 1.0
				for _, x := range want {
					scale = max(scale, math.Abs(x))
				}
				if d := maxDiff(results[1][i], want); !(d <= 2e-6*scale) {
					t.Errorf("output %d differs by %g of %g", i, d, scale)
				}
			}
		})
	}
}

// The whole stack, loss and gradients, in every precision; what float32 and high may differ by is
// rounding, and bfloat16 keeps the direction of the gradient.
func TestStackPrecisions(t *testing.T) {
	cfg := stackConfig{dim: 48, heads: 3, layers: 2, vocab: 5003, prefix: 4, feature: 20, images: 6, tokens: 9, drop: 0.1}
	s := newStack(t, cfg)
	run := func(be Backend) (float64, [][]float64) {
		b, m, grads := stackMachine(t, be, s)
		b.fill(t, cfg, 2, 9, 1, 0, 5, 7)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		var ds [][]float64
		for _, n := range grads.Of {
			ds = append(ds, floats(t, m, n))
		}
		return floats(t, m, b.loss)[0], ds
	}
	loss, want := run(NewReference())
	for _, c := range []struct {
		p         Precision
		loss, cos float64
	}{{Float32, 1e-6, 1 - 1e-9}, {High, 1e-5, 1 - 1e-8}, {BFloat16, 3e-2, 0.999}} {
		l, ds := run(NewCPU(c.p))
		if d := math.Abs(l - loss); !(d <= c.loss*loss) {
			t.Errorf("%v: loss %g, want %g", c.p, l, loss)
		}
		for i, d := range ds {
			norm := math.Sqrt(dot(d, d) * dot(want[i], want[i]))
			if cos := dot(d, want[i]) / norm; norm > 1e-12 && !(cos >= c.cos) {
				t.Errorf("%v: gradient of %s has cosine %.9f with the reference", c.p, s.params[i].Name, cos)
			}
		}
	}
}

// The head's gradient in one pass (frozen embeddings) and in two (trainable) are the same.
func TestHeadGradientsAgree(t *testing.T) {
	const rows, dim, vocab = 7, 16, 2*vocabPart + 77
	var got [2][]float64
	for i, frozen := range []bool{true, false} {
		ps := randomParams(3, [][]int{{rows, dim}, {vocab, dim}})
		ps[1].Frozen = frozen
		g := G.NewGraph()
		loss := UnembedCrossEntropy(ps[0].Node(g), ps[1].Node(g), ints(t, g, "t", rows, 0, vocabPart-1, vocabPart, -1, 2*vocabPart, vocab-1, 5))
		grads, err := Backward(loss, ps[0])
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewMachine(NewCPU(Float32), loss, grads.Of[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		got[i] = floats(t, m, grads.Of[0])
	}
	if d := maxDiff(got[0], got[1]); d > 1e-6 {
		t.Errorf("one pass and two differ by %g", d)
	}
}

// A training run in its steady state allocates nothing: neither the machine nor the kernels.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	s := newStack(t, small)
	b, m, _ := stackMachine(t, NewCPU(Float32), s)
	b.fill(t, small, 1, 6, 2, 4)
	var err error
	if n := testing.AllocsPerRun(20, func() {
		for _, p := range s.params {
			p.Changed() // as after an update: weights are packed again
		}
		err = errors.Join(err, m.RunAll())
	}); n > 0 || err != nil {
		t.Errorf("%v allocations a run, %v", n, err)
	}
}

// A packed weight follows its parameter.
func TestPackedWeightsFollowChanges(t *testing.T) {
	p := randomParams(1, [][]int{{4, 3}})[0]
	g := G.NewGraph()
	x := NewInput(g, "x", Float, 2, 4)
	y := MatMul(x, p.Node(g), false)
	m, err := NewMachine(NewCPU(Float32), y)
	if err != nil {
		t.Fatal(err)
	}
	set(t, x, []float32{1, 0, 0, 0})
	for range 3 {
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		if got := m.Value(y).Data().([]float32); !slices.Equal(got, p.Data[:3]) {
			t.Fatalf("%v, want %v", got, p.Data[:3])
		}
		p.Data[1]++
		p.Changed()
	}
}
