package clip

import (
	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// Transformer is a stack of pre-norm layers, with the names of OpenAI's files.
type Transformer struct {
	Blocks []Block `weight:"resblocks"`
}

// Block is one layer: x += attn(ln_1 x), x += mlp(ln_2 x).
type Block struct {
	Norm1 nn.LayerNorm `weight:"ln_1"`
	Attn  Attention    `weight:"attn"`
	Norm2 nn.LayerNorm `weight:"ln_2"`
	Up    nn.Linear    `weight:"mlp.c_fc"`
	Down  nn.Linear    `weight:"mlp.c_proj"`
	Act   nn.Activation
}

// Attention is multi-head self-attention as PyTorch keeps it: queries, keys and values in one matrix.
type Attention struct {
	Weight *nn.Param `weight:"in_proj_weight"` // [3·width, width]
	Bias   *nn.Param `weight:"in_proj_bias"`   // [3·width]
	Out    nn.Linear `weight:"out_proj"`
	Heads  int
	Causal bool

	query, keyValue nn.Linear // Weight in two, in the layer that is asked for one row of a sequence only
}

func newTransformer(c Config, width, layers, heads, inner int, causal bool) Transformer {
	var t Transformer
	for range layers {
		t.Blocks = append(t.Blocks, Block{
			Norm1: nn.NewLayerNorm(width, c.Eps),
			Attn: Attention{Weight: nn.NewParam(3*width, width), Bias: nn.NewParam(3 * width), Out: nn.NewLinear(width, width, true),
				Heads: heads, Causal: causal},
			Norm2: nn.NewLayerNorm(width, c.Eps),
			Up:    nn.NewLinear(width, inner, true),
			Down:  nn.NewLinear(inner, width, true),
			Act:   c.activation(),
		})
	}
	return t
}

// last splits the projection of the last layer, so that queries can be computed for some rows alone. Its parts are named after the
// weights, so these must have their names already.
func (t *Transformer) last() {
	a := &t.Blocks[len(t.Blocks)-1].Attn
	w := a.Weight.Shape[1]
	part := func(name string, from, to int) nn.Linear {
		return nn.Linear{OutIn: true,
			Weight: &nn.Param{Name: a.Weight.Name + "." + name, Shape: []int{to - from, w}, Data: a.Weight.Data[from*w : to*w]},
			Bias:   &nn.Param{Name: a.Bias.Name + "." + name, Shape: []int{to - from}, Data: a.Bias.Data[from:to]}}
	}
	a.query, a.keyValue = part("query", 0, w), part("key_value", w, 3*w)
}

// Forward maps x [rows, width] to [rows, width].
func (t *Transformer) Forward(x *G.Node, seqs nn.Sequences) *G.Node {
	for i := range t.Blocks {
		x = t.Blocks[i].Forward(x, seqs)
	}
	return x
}

// forwardOne is Forward for the one row of each sequence that take keeps; the last layer computes no other.
// A causal stack must be asked for the last row.
func (t *Transformer) forwardOne(x *G.Node, seqs nn.Sequences, take func(x *G.Node) *G.Node) *G.Node {
	last := len(t.Blocks) - 1
	for i := range last {
		x = t.Blocks[i].Forward(x, seqs)
	}
	b := &t.Blocks[last]
	h := b.Norm1.Forward(x)
	width := x.Shape()[1]
	kv := b.Attn.keyValue.Forward(h)
	q := b.Attn.query.Forward(take(h))
	y := nn.Attention(nn.Heads{
		Q: nn.Columns{Node: q}, K: nn.Columns{Node: kv}, V: nn.Columns{Node: kv, From: width},
		Heads: b.Attn.Heads, Dim: width / b.Attn.Heads, Queries: nn.Group(q, 1), Keys: seqs,
	})
	return b.mlp(nn.Add(take(x), b.Attn.Out.Forward(y)))
}

// Forward maps x [rows, width] to [rows, width].
func (b *Block) Forward(x *G.Node, seqs nn.Sequences) *G.Node {
	return b.mlp(nn.Add(x, b.Attn.Forward(b.Norm1.Forward(x), seqs)))
}

func (b *Block) mlp(x *G.Node) *G.Node {
	return nn.Add(x, b.Down.Forward(nn.Activate(b.Up.Forward(b.Norm2.Forward(x)), b.Act)))
}

// Forward maps x [rows, width] to [rows, width].
func (a *Attention) Forward(x *G.Node, seqs nn.Sequences) *G.Node {
	if a.query.Weight != nil { // the whole need not be there any more
		q, kv := a.query.Forward(x), a.keyValue.Forward(x)
		width := x.Shape()[1]
		return a.Out.Forward(nn.Attention(nn.Heads{
			Q: nn.Columns{Node: q}, K: nn.Columns{Node: kv}, V: nn.Columns{Node: kv, From: width},
			Heads: a.Heads, Dim: width / a.Heads, Causal: a.Causal, Queries: seqs,
		}))
	}
	in := nn.Linear{Weight: a.Weight, Bias: a.Bias, OutIn: true}
	return a.Out.Forward(nn.Attend(in.Forward(x), seqs, a.Heads, a.Causal))
}
