package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
)

// Unembed is the logits x·embedᵀ [rows, vocabulary] of x [rows, dim] for a tied head embed
// [vocabulary, dim]. Decoding needs it for the last rows; training uses UnembedCrossEntropy.
func Unembed(x, embed *G.Node) *G.Node { return MatMul(x, embed, true) }

// UnembedCrossEntropy is the language-model head and its loss in one: the mean over the targets t ≥ 0 of
// -log softmax(x·embedᵀ)[t], for x [rows, dim], embed [vocabulary, dim] and targets, an int32 input
// [rows]. Negative targets are ignored; with none left the loss is 0. The logits are computed piece by
// piece over the vocabulary and never kept.
func UnembedCrossEntropy(x, embed, targets *G.Node) *G.Node {
	rows, dim := mustMatrix("CrossEntropy", x)
	vocab, _ := mustMatrix("CrossEntropy", embed)
	mustShape("CrossEntropy", "embed", embed, vocab, dim)
	if !targets.Shape().Eq([]int{rows}) {
		panic(fmt.Sprintf("nn: CrossEntropy: targets %v for %d rows", targets.Shape(), rows))
	}
	demandIndex("CrossEntropy", targets, vocab)
	c := &crossEntropy{rows: rows, dim: dim, vocab: vocab}
	return apply(&Op{name: "CrossEntropy",
		results: []result{full(), like(0, rows), like(0, rows, dim)},
		run: func(be Backend, in, out []*Value) error {
			if err := sameRows(in[0], in[2]); err != nil {
				return err
			}
			c.forward = CrossEntropyArgs{X: in[0].mat(), Embed: in[1].operand(), Targets: in[2].vec(),
				Loss: out[0].vec(), LSE: out[1].vec(), DX: out[2].mat()}
			return be.CrossEntropy(&c.forward)
		}, grad: c.symDiff}, x, embed, targets)
}

type crossEntropy struct {
	rows, dim, vocab  int
	forward, backward CrossEntropyArgs
}

// symDiff takes the shorter of two ways. With a frozen head the gradient of x is a softmax-weighted sum
// of embeddings, which the forward kernel can gather in the same pass (as flash attention does), so all
// that is left is to scale it. A trainable head needs the normalised probabilities once more.
func (c *crossEntropy) symDiff(o *Op, in G.Nodes, y, dy *G.Node) (G.Nodes, error) {
	if !o.need[1] {
		return G.Nodes{scaleBy(tap(y, 2), dy), nil, nil}, nil
	}
	all := []result{like(0, c.rows, c.dim), full(c.vocab, c.dim), {}}
	ds := grads("CrossEntropyGrad", o.need, all, func(be Backend, in, out []*Value) error {
		c.backward = CrossEntropyArgs{X: in[0].mat(), Embed: in[1].operand(), Targets: in[2].vec(),
			LSE: in[3].vec(), DLoss: in[4].vec(), DX: out[0].mat(), DEmbed: out[1].mat()}
		return be.CrossEntropyGrad(&c.backward)
	}, in[0], in[1], in[2], tap(y, 1), dy)
	if o.need[0] {
		ds[0].Op().(*Op).late = func(be Backend) int {
			if _, ok := be.(*CPU); ok && c.rows*c.vocab <= keptLogits {
				return 1
			}
			return 0
		}
	}
	return ds, nil
}
