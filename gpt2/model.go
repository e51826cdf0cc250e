package gpt2

import (
	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// Model is GPT-2 (Radford et al. 2019): token and position embeddings, blocks of causal attention and
// MLP, a last norm, and a head tied to the token embeddings. The weight names are those of the
// published files.
type Model struct {
	Config    Config
	Tokens    nn.Embedding `weight:"wte"`
	Positions nn.Embedding `weight:"wpe"`
	Blocks    []Block      `weight:"h"`
	Norm      nn.LayerNorm `weight:"ln_f"`
}

// Block is one pre-norm transformer layer.
type Block struct {
	Norm1 nn.LayerNorm `weight:"ln_1"`
	Attn  Attention    `weight:"attn"`
	Norm2 nn.LayerNorm `weight:"ln_2"`
	MLP   MLP          `weight:"mlp"`
}

// Attention is causal multi-head self-attention with one projection for queries, keys and values.
type Attention struct {
	QKV   nn.Linear `weight:"c_attn"`
	Proj  nn.Linear `weight:"c_proj"`
	Heads int
	Drop  float32 // dropout of the weights of attention
}

// MLP widens, applies GELU and narrows again.
type MLP struct {
	Up   nn.Linear `weight:"c_fc"`
	Down nn.Linear `weight:"c_proj"`
}

// New makes a model with zero weights and unit norms. A configuration that Validate refuses is an error.
func New(c Config) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, Tokens: nn.NewEmbedding(c.Vocab, c.Dim), Positions: nn.NewEmbedding(c.Positions, c.Dim),
		Norm: nn.NewLayerNorm(c.Dim, c.Eps)}
	for range c.Layers {
		m.Blocks = append(m.Blocks, Block{
			Norm1: nn.NewLayerNorm(c.Dim, c.Eps),
			Attn:  Attention{QKV: nn.NewConv1D(c.Dim, 3*c.Dim), Proj: nn.NewConv1D(c.Dim, c.Dim), Heads: c.Heads, Drop: c.AttnDrop},
			Norm2: nn.NewLayerNorm(c.Dim, c.Eps),
			MLP:   MLP{Up: nn.NewConv1D(c.Dim, c.inner()), Down: nn.NewConv1D(c.inner(), c.Dim)},
		})
	}
	return m, nil
}

// Input says what the rows of a batch are. Row i is the embedding of token IDs[i] (none where it is
// negative), plus row Prefix.Index[i] of Prefix.Rows where there is one, at position Positions[i] of its
// sequence. All indices are int32 inputs [rows].
type Input struct {
	IDs, Positions *G.Node
	Prefix         nn.Pick      // optional: Rows may be nil
	Sequences      nn.Sequences // where each sequence of rows starts
	Random         *nn.Random   // source of dropout; nil: none
}

// Embed is what the blocks start from: the sum of the embeddings Input names, [rows, dim].
func (m *Model) Embed(in Input) *G.Node {
	picks := []nn.Pick{m.Tokens.Pick(in.IDs), m.Positions.Pick(in.Positions)}
	if in.Prefix.Rows != nil {
		picks = append(picks, in.Prefix)
	}
	return nn.Dropout(nn.Gather(picks...), m.Config.EmbdDrop, in.Random)
}

// Forward maps a batch to its last hidden states [rows, dim], normalised, ready for the head.
func (m *Model) Forward(in Input) *G.Node {
	x := m.Embed(in)
	for i := range m.Blocks {
		x = m.Blocks[i].Forward(x, in.Sequences, m.Config.ResidDrop, in.Random)
	}
	return m.Norm.Forward(x)
}

// ForwardRows is Forward for some rows of the batch alone, those that rows, an int32 input, names: training wants
// the states before caption tokens. Behind the last block's attention nothing else is computed.
func (m *Model) ForwardRows(in Input, rows *G.Node) *G.Node {
	x := m.Embed(in)
	for i := range m.Blocks {
		b := &m.Blocks[i]
		if i < len(m.Blocks)-1 {
			x = b.Forward(x, in.Sequences, m.Config.ResidDrop, in.Random)
			continue
		}
		mixed := b.Attn.mix(b.Norm1.Forward(x), in.Sequences, in.Random)
		x = b.rest(nn.Gather(nn.Pick{Rows: x, Index: rows}), nn.Gather(nn.Pick{Rows: mixed, Index: rows}), m.Config.ResidDrop, in.Random)
	}
	if len(m.Blocks) == 0 {
		x = nn.Gather(nn.Pick{Rows: x, Index: rows})
	}
	return m.Norm.Forward(x)
}

// Forward maps x [rows, dim] to [rows, dim]; seqs says where each sequence starts. Dropout p applies to
// what is added to the residual stream.
func (b *Block) Forward(x *G.Node, seqs nn.Sequences, p float32, r *nn.Random) *G.Node {
	return b.rest(x, b.Attn.mix(b.Norm1.Forward(x), seqs, r), p, r)
}

// rest is what follows the mixing of rows, each row by itself.
func (b *Block) rest(x, mixed *G.Node, p float32, r *nn.Random) *G.Node {
	x = nn.Add(x, nn.Dropout(b.Attn.Proj.Forward(mixed), p, r))
	return nn.Add(x, nn.Dropout(b.MLP.Forward(b.Norm2.Forward(x)), p, r))
}

// Forward maps x [rows, dim] to [rows, dim].
func (a *Attention) Forward(x *G.Node, seqs nn.Sequences, r *nn.Random) *G.Node {
	return a.Proj.Forward(a.mix(x, seqs, r))
}

// mix is the attention without its output projection.
func (a *Attention) mix(x *G.Node, seqs nn.Sequences, r *nn.Random) *G.Node {
	dim := x.Shape()[1]
	qkv := a.QKV.Forward(x)
	return nn.Attention(nn.Heads{
		Q: nn.Columns{Node: qkv}, K: nn.Columns{Node: qkv, From: dim}, V: nn.Columns{Node: qkv, From: 2 * dim},
		Heads: a.Heads, Dim: dim / a.Heads, Causal: true, Queries: seqs, Drop: a.Drop, Random: r,
	})
}

// Forward maps x [rows, dim] to [rows, dim].
func (m *MLP) Forward(x *G.Node) *G.Node { return m.Down.Forward(nn.GELU(m.Up.Forward(x))) }

// Logits are the scores of every token [rows, vocabulary] for hidden states [rows, dim].
func (m *Model) Logits(hidden *G.Node) *G.Node {
	return nn.Unembed(hidden, m.Tokens.Weight.Node(hidden.Graph()))
}

// Loss is the mean of -ln p(target) over hidden states [rows, dim] with targets, an int32 input
// [rows]; negative targets do not count.
func (m *Model) Loss(hidden, targets *G.Node) *G.Node {
	return nn.UnembedCrossEntropy(hidden, m.Tokens.Weight.Node(hidden.Graph()), targets)
}

// Params names the weights as the published files do, under prefix and a dot where that is not empty, and lists them.
func (m *Model) Params(prefix string) (nn.Params, error) { return nn.Collect(prefix, m) }

// operands are the weights that rows are multiplied by, and whether transposed.
func (m *Model) operands() map[*nn.Param]bool {
	all := map[*nn.Param]bool{m.Tokens.Weight: true}
	for i := range m.Blocks {
		b := &m.Blocks[i]
		for _, l := range [...]*nn.Linear{&b.Attn.QKV, &b.Attn.Proj, &b.MLP.Up, &b.MLP.Down} {
			all[l.Weight] = l.OutIn
		}
	}
	return all
}

// taken hands such weights to a backend; nil for no backend.
func (m *Model) taken(to nn.Holder) func(p *nn.Param) *nn.Taking {
	return nn.TakenBy(to, m.operands())
}
