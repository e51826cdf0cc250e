package nn

import (
	"math"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
)

// TestTakenForAnotherUse holds that numbers that a backend took for products are an error, not a panic, where something else needs them: the
// operation, the parameter and what was expected are named.
func TestTakenForAnotherUse(t *testing.T) {
	type world struct {
		ps Params
		g  *G.ExprGraph
	}
	loss := func(w world) *G.Node {
		return UnembedCrossEntropy(w.ps[0].Node(w.g), w.ps[1].Node(w.g), ints(t, w.g, "t", 3, 0, 8, -1))
	}
	gradient := func(w world) *G.Node {
		grads, err := Backward(loss(w), w.ps[0])
		if err != nil {
			t.Fatal(err)
		}
		return grads.Of[0]
	}
	take := func(transposed bool) func(be *CPU, p *Param) {
		return func(be *CPU, p *Param) { be.Take(p, transposed) }
	}
	conv := Conv{H: 3, W: 3, Kernel: 1, Stride: 1}
	for _, c := range []struct {
		name    string
		be      *CPU
		take    func(be *CPU, p *Param)
		frozen  bool
		node    func(w world) *G.Node
		want    []string // of the error; nil: none
		trained []int    // of the first
	}{
		{name: "loss", be: NewCPU(Float32), take: take(false), frozen: true, node: loss, want: []string{"CrossEntropy", "p1 [9 4]", "Data"}},
		{name: "gradient", be: NewCPU(BFloat16), take: take(false), frozen: true, node: gradient, want: []string{"CrossEntropy", "p1 [9 4]", "Data"}},
		{name: "gradient of the head", be: NewCPU(Float32), take: take(true), want: []string{"CrossEntropyGrad", "p1 [9 4]", "Data"},
			node: func(w world) *G.Node {
				grads, err := Backward(loss(w), w.ps[1])
				if err != nil {
					t.Fatal(err)
				}
				return grads.Of[0]
			}},
		{name: "gradient of int8", be: NewCPUWeights(Float32, WeightsInt8), frozen: true, node: gradient, want: []string{"CrossEntropy", "p1 [9 4]", "int8", "want"}},
		{name: "loss of int8", be: NewCPUWeights(Float32, WeightsInt8), frozen: true, node: loss},
		{name: "product", be: NewCPUWeights(Float32, WeightsInt8), take: take(false), want: []string{"MatMul", "p1 [9 4]", "product", "Data"},
			node: func(w world) *G.Node { return MatMul(w.ps[0].Node(w.g), w.ps[1].Node(w.g), true) }},
		{name: "search", be: NewCPU(Float32), take: take(false), want: []string{"Top", "p1 [9 4]", "product", "Data"},
			node: func(w world) *G.Node { return Top(w.ps[0].Node(w.g), w.ps[1].Node(w.g), 2, 1) }},
		{name: "convolution", be: NewCPU(Float32), take: take(false), trained: []int{9, 4}, want: []string{"Conv2D", "p1 [9 4]", "Data"},
			node: func(w world) *G.Node { return Conv2D(w.ps[0].Node(w.g), w.ps[1].Node(w.g), nil, conv, NoActivation) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			shape := c.trained
			if shape == nil {
				shape = []int{3, 4}
			}
			w := world{randomParams(3, [][]int{shape, {9, 4}}), G.NewGraph()}
			w.ps[1].Frozen = c.frozen
			if c.take != nil {
				c.take(c.be, w.ps[1])
			}
			m, err := NewMachine(c.be, c.node(w))
			if err != nil {
				t.Fatal(err)
			}
			err = m.RunAll()
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v, want %q in it", err, part)
				}
			}
		})
	}
}

// TestLossOverTaken holds that a head that was handed over, whole or in parts, gives the loss and the gradient that its numbers give.
func TestLossOverTaken(t *testing.T) {
	const rows, vocab, dim = 7, 4133, 24 // more words than one part of the vocabulary, and of the last panel a part
	targets := []int32{0, 4132, -1, 2047, 2048, 31, 4100}
	whole := func(be *CPU, p *Param) { be.Take(p, true) }
	inParts := func(be *CPU, p *Param) {
		data := p.Data
		for first := 0; first < vocab; first += 1024 {
			be.takePart(p, first, data[first*dim:min(first+1024, vocab)*dim])
		}
	}
	run := func(be *CPU, take func(be *CPU, p *Param)) []float32 {
		ps, g := randomParams(5, [][]int{{rows, dim}, {vocab, dim}}), G.NewGraph()
		ps[1].Frozen = true
		if take(be, ps[1]); be.Exact() != (be.precision == Float32) {
			t.Errorf("%v: exact is %v", be.precision, be.Exact())
		}
		loss := UnembedCrossEntropy(ps[0].Node(g), ps[1].Node(g), ints(t, g, "t", rows, targets...))
		grads, err := Backward(loss, ps[0])
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewMachine(be, loss, grads.Of[0])
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		return append(slices.Clone(vector(m.Value(loss).mem)), vector(m.Value(grads.Of[0]).mem)...)
	}
	for _, p := range []Precision{Float32, BFloat16} {
		want := run(NewCPU(p), func(*CPU, *Param) {})
		for name, take := range map[string]func(be *CPU, p *Param){"whole": whole, "in parts": inParts} {
			got := run(NewCPU(p), take)
			off := 0.0
			for i := range want {
				off = max(off, math.Abs(float64(got[i]-want[i])))
			}
			// In bfloat16 the target's own row is rounded, too: 1/6 of 2⁻⁹ of it.
			if !(off == 0 || p == BFloat16 && off < 2e-3) {
				t.Errorf("%v, %s: %g apart", p, name, off)
			}
		}
	}
}
