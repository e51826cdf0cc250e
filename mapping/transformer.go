package mapping

import (
	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// Transformer is the paper's second mapper. The feature becomes ClipLength rows, PrefixLength learned rows
// follow them, and after the layers the learned rows are the prefix.
type Transformer struct {
	Split  nn.Linear `weight:"linear"`
	Prefix *nn.Param `weight:"prefix_const"` // [PrefixLength, dim]
	Layers []Layer   `weight:"transformer.layers"`
	Config Config
}

// Layer is one pre-norm layer.
type Layer struct {
	Norm1 nn.LayerNorm `weight:"norm1"`
	Attn  Attention    `weight:"attn"`
	Norm2 nn.LayerNorm `weight:"norm2"`
	Up    nn.Linear    `weight:"mlp.fc1"`
	Down  nn.Linear    `weight:"mlp.fc2"`
}

// Attention is full multi-head attention; only its output projection has a bias.
type Attention struct {
	Queries    nn.Linear `weight:"to_queries"`
	KeysValues nn.Linear `weight:"to_keys_values"`
	Proj       nn.Linear `weight:"project"`
}

func newTransformer(c Config) *Transformer {
	const eps = 1e-5
	t := &Transformer{Split: nn.NewLinear(c.Feature, c.ClipLength*c.Dim, true), Prefix: nn.NewParam(c.PrefixLength, c.Dim), Config: c}
	for range c.Layers {
		t.Layers = append(t.Layers, Layer{
			Norm1: nn.NewLayerNorm(c.Dim, eps),
			Attn: Attention{Queries: nn.NewLinear(c.Dim, c.Dim, false), KeysValues: nn.NewLinear(c.Dim, 2*c.Dim, false),
				Proj: nn.NewLinear(c.Dim, c.Dim, true)},
			Norm2: nn.NewLayerNorm(c.Dim, eps),
			Up:    nn.NewLinear(c.Dim, 2*c.Dim, true),
			Down:  nn.NewLinear(2*c.Dim, c.Dim, true),
		})
	}
	return t
}

// Forward maps features [images, feature] to prefixes [images·PrefixLength, dim].
func (t *Transformer) Forward(features *G.Node) *G.Node {
	k, p := t.Config.ClipLength, t.Config.PrefixLength
	rows := nn.SplitRows(t.Split.Forward(features), k)
	learned := t.Prefix.Node(features.Graph())
	x, seqs := nn.AppendRows(rows, k, learned)
	last := len(t.Layers) - 1
	if last < 0 {
		return nn.TakeRows(x, k+p, k, p)
	}
	for i := range last {
		if i == 0 {
			x = t.Layers[0].firstRows(x, seqs, rows, k, learned)
			continue
		}
		x = t.Layers[i].Forward(x, seqs)
	}
	return t.Layers[last].lastRows(x, seqs, k, p)
}

// lastRows is Forward for the last p rows of every k+p alone: the others are only looked at.
func (l *Layer) lastRows(x *G.Node, seqs nn.Sequences, k, p int) *G.Node {
	normed := l.Norm1.Forward(x)
	own := nn.TakeRows(x, k+p, k, p)
	return l.rest(own, l.Attn.mix(nn.TakeRows(normed, k+p, k, p), nn.Group(own, p), normed, seqs))
}

// firstRows is Forward for the first layer, whose input x is rows, k an image, with the learned rows behind those of every image: norm,
// queries, keys and values of the learned ones are the same for all images, and so computed once.
func (l *Layer) firstRows(x *G.Node, seqs nn.Sequences, rows *G.Node, k int, learned *G.Node) *G.Node {
	once, each := nn.Stack(rows, k, learned)
	normed := l.Norm1.Forward(once)
	return l.rest(x, attend(each(l.Attn.Queries.Forward(normed)), seqs, each(l.Attn.KeysValues.Forward(normed)), nn.Sequences{}))
}

// Forward maps x [rows, dim] to [rows, dim].
func (l *Layer) Forward(x *G.Node, seqs nn.Sequences) *G.Node {
	normed := l.Norm1.Forward(x)
	return l.rest(x, l.Attn.mix(normed, seqs, normed, nn.Sequences{}))
}

// rest is what follows the mixing of rows, each row by itself.
func (l *Layer) rest(x, mixed *G.Node) *G.Node {
	x = nn.Add(x, l.Attn.Proj.Forward(mixed))
	return nn.Add(x, l.Down.Forward(nn.ReLU(l.Up.Forward(l.Norm2.Forward(x)))))
}

// Forward maps x [rows, dim] to [rows, dim].
func (a *Attention) Forward(x *G.Node, seqs nn.Sequences) *G.Node {
	return a.Proj.Forward(a.mix(x, seqs, x, nn.Sequences{}))
}

// mix lets the rows of x look at those of from, in sequences of their own where they are not the same, without the output projection.
func (a *Attention) mix(x *G.Node, seqs nn.Sequences, from *G.Node, keys nn.Sequences) *G.Node {
	kv := a.KeysValues.Forward(from)
	return attend(a.Queries.Forward(x), seqs, kv, keys)
}

// attend is the attention of queries to the keys and values that lie side by side in kv.
func attend(q *G.Node, seqs nn.Sequences, kv *G.Node, keys nn.Sequences) *G.Node {
	dim := q.Shape()[1]
	return nn.Attention(nn.Heads{
		Q: nn.Columns{Node: q}, K: nn.Columns{Node: kv}, V: nn.Columns{Node: kv, From: dim},
		Heads: heads, Dim: dim / heads, Queries: seqs, Keys: keys,
	})
}

func (t *Transformer) linears() []*nn.Linear {
	all := []*nn.Linear{&t.Split}
	for i := range t.Layers {
		l := &t.Layers[i]
		all = append(all, &l.Attn.Queries, &l.Attn.KeysValues, &l.Attn.Proj, &l.Up, &l.Down)
	}
	return all
}
