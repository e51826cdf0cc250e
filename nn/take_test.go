package nn

import (
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
		{name: "loss", be: NewCPU(Float32), take: take(true), frozen: true, node: loss, want: []string{"CrossEntropy", "p1 [9 4]", "Data"}},
		{name: "gradient", be: NewCPU(BFloat16), take: take(true), frozen: true, node: gradient, want: []string{"CrossEntropy", "p1 [9 4]", "Data"}},
		{name: "gradient of a trained head", be: NewCPU(Float32), take: take(true), node: gradient, want: []string{"CrossEntropy", "p1 [9 4]", "Data"}},
		{name: "in parts", be: NewCPU(Float32), node: loss, want: []string{"CrossEntropy", "p1 [9 4]", "Data"},
			take: func(be *CPU, p *Param) { be.takePart(p, 0, p.Data) }},
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
