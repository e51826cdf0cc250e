package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// topMost is the largest k of Top.
const topMost = 4096

// Top is what a search for the next word needs of the logits scale·x·embedᵀ, for x [rows, dim] and a tied head
// embed [vocabulary, dim]: [rows, 2k+1] with the k greatest logits, greatest first and the earlier of equals
// before the later, then their places in the vocabulary, then log Σ exp over the whole of it. It has no gradient.
func Top(x, embed *G.Node, k int, scale float32) *G.Node {
	rows, dim := mustMatrix("Top", x)
	vocab, _ := mustMatrix("Top", embed)
	mustShape("Top", "embed", embed, vocab, dim)
	if k < 1 || k > min(vocab, topMost) || vocab > 1<<24 { // places are floats
		panic(fmt.Sprintf("nn: Top: the %d greatest of %d", k, vocab))
	}
	args := new(TopArgs)
	out := result{shape: tensor.Shape{rows, 2*k + 1}, rows: 0, mul: 1, div: 1}
	return apply(&Op{name: "Top", results: []result{out}, run: func(be Backend, in, out []*Value) error {
		*args = TopArgs{X: in[0].mat(), Embed: in[1].operand(), Out: out[0].mat(), K: k, Scale: scale}
		return be.Top(args)
	}}, x, embed)
}
