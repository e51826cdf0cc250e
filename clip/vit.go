package clip

import (
	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// ViT is the vision transformer of CLIP (Radford et al. 2021): patches and a class row, learned positions, a norm in
// front and one behind, and a projection of the class row.
type ViT struct {
	Conv1     *nn.Param    `weight:"conv1.weight"`    // [width, 3, patch, patch]
	Class     *nn.Param    `weight:"class_embedding"` // [width]
	Positions *nn.Param    `weight:"positional_embedding"`
	NormPre   nn.LayerNorm `weight:"ln_pre"`
	Layers    Transformer  `weight:"transformer"`
	NormPost  nn.LayerNorm `weight:"ln_post"`
	Proj      *nn.Param    `weight:"proj"` // [width, feature]

	config   VisionConfig
	patches  nn.Linear // conv1 as the product it is, patches not overlapping
	classRow *nn.Param // class_embedding as a matrix
}

func newViT(c Config) *ViT {
	v := c.Vision
	w, grid := v.Width, v.grid()
	return &ViT{
		Conv1: nn.NewParam(w, 3, v.Patch, v.Patch), Class: nn.NewParam(w), Positions: nn.NewParam(grid*grid+1, w),
		NormPre:  nn.NewLayerNorm(w, c.Eps),
		Layers:   newTransformer(c, w, v.Layers, v.Heads, v.Inner, false),
		NormPost: nn.NewLayerNorm(w, c.Eps), Proj: nn.NewParam(w, c.Embed), config: v,
	}
}

// ready makes what is derived from the weights' names and numbers.
func (m *ViT) ready() {
	w := m.config.Width
	m.patches = nn.Linear{OutIn: true, Weight: &nn.Param{Name: m.Conv1.Name + ".rows", Shape: []int{w, len(m.Conv1.Data) / w}, Data: m.Conv1.Data}}
	m.classRow = &nn.Param{Name: m.Class.Name + ".row", Shape: []int{1, w}, Data: m.Class.Data}
	m.Layers.last()
}

// embed is the input of the layers for pixels [images·grid², 3·patch²].
func (m *ViT) embed(pixels *G.Node) (*G.Node, nn.Sequences) {
	grid := m.config.grid()
	x, seqs := nn.PrependRows(m.patches.Forward(pixels), grid*grid, m.classRow.Node(pixels.Graph()))
	return m.NormPre.Forward(nn.AddToGroups(x, m.Positions.Node(pixels.Graph()))), seqs
}

// Forward maps pixels [images·grid², 3·patch²], a patch a row with its channels one after the other, to features
// [images, embed].
func (m *ViT) Forward(pixels *G.Node) *G.Node {
	x, seqs := m.embed(pixels)
	grid := m.config.grid()
	x = m.Layers.forwardOne(x, seqs, func(x *G.Node) *G.Node { return nn.TakeRows(x, grid*grid+1, 0, 1) })
	return nn.MatMul(m.NormPost.Forward(x), m.Proj.Node(x.Graph()), false)
}

// ForwardTokens maps pixels to what all rows become, [images·(1+grid²), embed]: the feature, then one row a patch.
func (m *ViT) ForwardTokens(pixels *G.Node) *G.Node {
	x, seqs := m.embed(pixels)
	return nn.MatMul(m.NormPost.Forward(m.Layers.Forward(x, seqs)), m.Proj.Node(x.Graph()), false)
}
