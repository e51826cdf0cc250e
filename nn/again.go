package nn

import (
	"slices"

	G "gorgonia.org/gorgonia"
)

// again is x computed a second time, for a gradient long after the first, where that is cheap and what it is computed from is kept
// for other gradients anyway: a norm's result, or an activation's inside a product. Kept themselves, they would be two fifths of all that a
// transformer layer keeps. The numbers are the same bit for bit, but where what they are computed from is kept in bfloat16.
func again(x *G.Node) *G.Node {
	o, ok := x.Op().(*Op)
	if !ok || !slices.Contains(o.need, true) {
		return x
	}
	if o.again != nil {
		return o.again
	}
	switch a := o.attr.(type) {
	case *product:
		if a.act == NoActivation || a.residual != nil {
			return x
		}
		o.again = activated("Again."+a.act.String(), tap(x, 1), a.act)
	case normalized:
		in := inputsOf(x)
		o.again = apply(&Op{name: "Again.LayerNorm", results: []result{o.results[0]}, paired: roundedAt(pairedResult),
			run: func(be Backend, in, out []*Value) error {
				return be.LayerNorm(out[0].mat(), in[0].mat(), in[1].vec(), in[2].vec(), float32(a), Tensor{}, Tensor{})
			}}, in...)
	default:
		return x
	}
	return o.again
}

// normalized marks a LayerNorm by its eps.
type normalized float32

// activated is act(x) as an operation of its own, without a gradient.
func activated(name string, x *G.Node, act Activation) *G.Node {
	rows, cols := mustMatrix(name, x)
	return apply(&Op{name: name, results: []result{like(0, rows, cols)},
		paired: func(be betweener, _ *step, at int) forms {
			if at == 0 {
				return Rounded.only(be.makesRounded())
			}
			return Rounded.only(be.multipliesRounded())
		},
		run: func(be Backend, in, out []*Value) error {
			return be.Activate(out[0].mat(), in[0].mat(), act)
		}}, x)
}
