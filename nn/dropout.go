package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
)

// Random is the source of a graph's dropout: an int32 input [4] holding seed and step, low word
// first. Which elements go is a function of seed, step, the place in the network and the
// element's number alone, so that a resumed run draws the same masks.
type Random struct {
	State *G.Node
	sites uint32
}

// NewRandom makes the input; Set its State through SetStep.
func NewRandom(g *G.ExprGraph) *Random {
	r := &Random{State: NewInput(g, "random", Int32, 4)}
	inputOf(r.State).fixed = true
	return r
}

// SetStep fixes the masks of the next run.
func (r *Random) SetStep(seed, step uint64) error {
	return Set(r.State, []int32{int32(seed), int32(seed >> 32), int32(step), int32(step >> 32)})
}

// site numbers the next place that draws.
func (r *Random) site() uint32 { r.sites++; return r.sites }

// Dropout removes each element of x with probability p and scales the others by 1/(1-p)
// (Srivastava et al. 2014). A nil source or p = 0 leaves x as it is.
func Dropout(x *G.Node, p float32, r *Random) *G.Node {
	if r == nil || p == 0 {
		return x
	}
	if p < 0 || p >= 1 {
		panic(fmt.Sprintf("nn: Dropout: p = %v, want 0 ≤ p < 1", p))
	}
	return dropout(x, p, r.State, r.site())
}

func dropout(x *G.Node, p float32, state *G.Node, site uint32) *G.Node {
	rows, dim := mustMatrix("Dropout", x)
	return apply(&Op{name: "Dropout", results: []result{like(0, rows, dim)},
		run: func(be Backend, in, out []*Value) error {
			return be.Dropout(out[0].mat(), in[0].mat(), Mask{P: p, State: in[1].vec(), Site: site})
		},
		grad: func(_ *Op, in G.Nodes, _, dy *G.Node) (G.Nodes, error) {
			return G.Nodes{dropout(dy, p, in[1], site), nil}, nil
		}}, x, state)
}
