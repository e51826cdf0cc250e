package clip

import (
	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// TextTower is CLIP's text encoder: a causal transformer whose row at the end token is projected.
type TextTower struct {
	Tokens    nn.Embedding `weight:"token_embedding"`
	Positions *nn.Param    `weight:"positional_embedding"` // [context, width]
	Layers    Transformer  `weight:"transformer"`
	Norm      nn.LayerNorm `weight:"ln_final"`
	Proj      *nn.Param    `weight:"text_projection"` // [width, feature]
	Scale     *nn.Param    `weight:"logit_scale"`     // log of what cosines are multiplied by
}

func newTextTower(c Config) *TextTower {
	t := c.Text
	return &TextTower{
		Tokens: nn.NewEmbedding(t.Vocab, t.Width), Positions: nn.NewParam(t.Context, t.Width),
		Layers: newTransformer(c, t.Width, t.Layers, t.Heads, t.Inner, true),
		Norm:   nn.NewLayerNorm(t.Width, c.Eps), Proj: nn.NewParam(t.Width, c.Embed), Scale: nn.NewParam(),
	}
}

// textInput are texts packed end to end, each up to and with its end token.
type textInput struct {
	ids, positions *G.Node // [rows]
	last           *G.Node // [texts]: the rows of the end tokens
	seqs           nn.Sequences
}

// Forward maps packed texts to features [texts, embed].
func (m *TextTower) Forward(in textInput) *G.Node {
	g := in.ids.Graph()
	x := nn.Gather(m.Tokens.Pick(in.ids), nn.Pick{Rows: m.Positions.Node(g), Index: in.positions})
	x = m.Layers.ForwardOne(x, in.seqs, func(x *G.Node) *G.Node { return nn.Gather(nn.Pick{Rows: x, Index: in.last}) })
	return nn.MatMul(m.Norm.Forward(x), m.Proj.Node(g), false)
}
