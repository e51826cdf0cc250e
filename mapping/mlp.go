package mapping

import (
	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// MLP is the paper's first mapper: Linear, tanh, Linear. The weight names are those of the sequential
// module of the original, whose tanh is number 1.
type MLP struct {
	Hidden       nn.Linear `weight:"model.0"`
	Out          nn.Linear `weight:"model.2"`
	PrefixLength int
}

func newMLP(c Config) *MLP {
	out := c.PrefixLength * c.Dim
	return &MLP{Hidden: nn.NewLinear(c.Feature, out/2, true), Out: nn.NewLinear(out/2, out, true), PrefixLength: c.PrefixLength}
}

// Forward maps features [images, feature] to prefixes [images·PrefixLength, dim].
func (m *MLP) Forward(features *G.Node) *G.Node {
	return nn.SplitRows(m.Out.Forward(nn.Tanh(m.Hidden.Forward(features))), m.PrefixLength)
}

// Linear is a single layer, which published models with prefixes longer than 10 use instead of the MLP.
type Linear struct {
	Layer        nn.Linear `weight:""`
	PrefixLength int
}

// Forward maps features [images, feature] to prefixes [images·PrefixLength, dim].
func (l *Linear) Forward(features *G.Node) *G.Node {
	return nn.SplitRows(l.Layer.Forward(features), l.PrefixLength)
}

func (m *MLP) linears() []*nn.Linear { return []*nn.Linear{&m.Hidden, &m.Out} }

func (l *Linear) linears() []*nn.Linear { return []*nn.Linear{&l.Layer} }
