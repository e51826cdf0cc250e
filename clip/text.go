package clip

import (
	"errors"
	"fmt"

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

// TextInput are the inputs of a graph that hold texts, packed end to end, each up to and with its end token.
type TextInput struct {
	IDs       *G.Node // int32 [rows]: the tokens
	Positions *G.Node // int32 [rows]: the place of each in its text, from 0
	Last      *G.Node // int32 [texts]: the rows of the end tokens
	Sequences nn.Sequences
}

// NewTextInput adds inputs to a graph, with room for so many rows, the tokens of all texts together, and so many texts. A graph takes one.
func NewTextInput(g *G.ExprGraph, rows, texts int) TextInput {
	return TextInput{IDs: nn.NewInput(g, "ids", nn.Int32, rows), Positions: nn.NewInput(g, "positions", nn.Int32, rows),
		Last: nn.NewInput(g, "last", nn.Int32, texts), Sequences: nn.NewSequences(g, "texts", texts, false)}
}

// Set gives the inputs the tokens of texts, as Tokenizer.AppendRow makes them: a text ends with its largest id, which the end token is, and
// what follows, such as padding, is left out. An empty text, an id outside the vocabulary, and more rows or texts than there is room for
// are errors.
func (in TextInput) Set(texts [][]int32) error {
	var ids, positions, last []int32
	starts := []int32{0}
	for i, text := range texts {
		if len(text) == 0 {
			return fmt.Errorf("text %d has no tokens", i)
		}
		for at, id := range text[:length(text)] {
			ids, positions = append(ids, id), append(positions, int32(at))
		}
		last = append(last, int32(len(ids)-1))
		starts = append(starts, int32(len(ids)))
	}
	return errors.Join(nn.Set(in.IDs, ids), nn.Set(in.Positions, positions), nn.Set(in.Last, last), nn.Set(in.Sequences.Starts, starts))
}

// length is how many tokens a text has, up to and with its end token: nothing that the end token sees comes later.
func length(text []int32) int {
	end := 0
	for i, id := range text {
		if id > text[end] {
			end = i
		}
	}
	return min(end+1, len(text))
}

// Forward maps packed texts to features [texts, embed], unnormalised.
func (m *TextTower) Forward(in TextInput) *G.Node {
	g := in.IDs.Graph()
	x := nn.Gather(m.Tokens.Pick(in.IDs), nn.Pick{Rows: m.Positions.Node(g), Index: in.Positions})
	x = m.Layers.forwardOne(x, in.Sequences, func(x *G.Node) *G.Node { return nn.Gather(nn.Pick{Rows: x, Index: in.Last}) })
	return nn.MatMul(m.Norm.Forward(x), m.Proj.Node(g), false)
}
