package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
)

// Activate is act(x), elementwise. Applied to the result of a Linear it becomes part of that product, and so does ReLU of
// the sum with a Linear.
func Activate(x *G.Node, act Activation) *G.Node {
	rows, cols := mustMatrix("Activate", x)
	if o, ok := x.Op().(*Op); ok {
		// Only a trailing bias may stand between product and activation.
		if p, ok := o.attr.(*product); ok && !p.transA && p.act == NoActivation && p.gradOf == NoActivation && p.residual == nil {
			fused := *p
			fused.act = act
			in := inputsOf(x)
			return fused.node("Linear+"+act.String(), in[0], in[1])
		}
		if p, ok := o.attr.(*product); ok && p.residual != nil && act == ReLUAct && !p.positive && !p.transA && p.gradOf == NoActivation {
			fused := *p
			fused.positive = true
			in := inputsOf(x)
			return fused.node(o.name+"+"+act.String(), in[0], in[1])
		}
	}
	return apply(&Op{name: "Activate." + act.String(), results: []result{like(0, rows, cols)},
		run: func(be Backend, in, out []*Value) error {
			return be.Activate(out[0].mat(), in[0].mat(), act)
		},
		grad: func(_ *Op, in G.Nodes, _, dy *G.Node) (G.Nodes, error) {
			return G.Nodes{activateGrad(dy, in[0], act)}, nil
		}}, x)
}

// GELU is GPT-2's tanh form of the Gaussian error linear unit.
func GELU(x *G.Node) *G.Node { return Activate(x, GELUTanhAct) }

// ReLU is max(x, 0).
func ReLU(x *G.Node) *G.Node { return Activate(x, ReLUAct) }

// Tanh is the hyperbolic tangent.
func Tanh(x *G.Node) *G.Node { return Activate(x, TanhAct) }

// activateGrad is dy·act'(pre), inside the product that makes dy where there is one.
func activateGrad(dy, pre *G.Node, act Activation) *G.Node {
	if o, ok := dy.Op().(*Op); ok {
		if p, ok := o.attr.(*product); ok && !p.transA && p.plain() {
			in := inputsOf(dy)
			return product{transB: p.transB, gradOf: act, gradPre: pre}.node(o.name+"·"+act.String()+"'", in[0], in[1])
		}
	}
	rows, cols := mustMatrix("ActivateGrad", dy)
	return apply(&Op{name: "ActivateGrad", inPlace: 1, results: []result{like(0, rows, cols)},
		run: func(be Backend, in, out []*Value) error {
			if err := sameRows(in[0], in[1]); err != nil {
				return err
			}
			return be.ActivateGrad(out[0].mat(), in[0].mat(), in[1].mat(), act)
		}}, dy, pre)
}

// Add is a + b for [rows, dim]; where b comes straight from a Linear, the product adds a itself.
func Add(a, b *G.Node) *G.Node {
	rows, cols := mustMatrix("Add", a)
	mustShape("Add", "the second term", b, rows, cols)
	if o, ok := b.Op().(*Op); ok {
		if p, ok := o.attr.(*product); ok && !p.transA && p.residual == nil && p.gradOf == NoActivation && !p.positive {
			fused := *p
			fused.residual = a
			in := inputsOf(b)
			return fused.node(o.name+"+residual", in[0], in[1])
		}
	}
	return sum(a, b)
}

// sum adds nodes of one shape.
func sum(xs ...*G.Node) *G.Node {
	y := xs[0]
	for _, x := range xs[1:] {
		res := result{shape: y.Shape().Clone(), rows: 0, mul: 1, div: 1}
		y = apply(&Op{name: "Add", inPlace: 1, results: []result{res},
			run: func(be Backend, in, out []*Value) error {
				if err := sameRows(in[0], in[1]); err != nil {
					return err
				}
				return be.Add(out[0].mat(), in[0].mat(), in[1].mat())
			},
			grad: func(o *Op, _ G.Nodes, _, dy *G.Node) (G.Nodes, error) {
				ds := make(G.Nodes, 2)
				for i, need := range o.need {
					if need {
						ds[i] = dy
					}
				}
				return ds, nil
			}}, y, x)
	}
	return y
}

// scaleBy is x times the scalar s.
func scaleBy(x, s *G.Node) *G.Node {
	res := result{shape: x.Shape().Clone(), rows: 0, mul: 1, div: 1}
	return apply(&Op{name: "Scale", inPlace: 1, results: []result{res},
		run: func(be Backend, in, out []*Value) error {
			return be.Scale(out[0].mat(), in[0].mat(), in[1].vec())
		}}, x, s)
}

func sameRows(a, b *Value) error {
	if a.mem.Rows != b.mem.Rows {
		return fmt.Errorf("%d live rows against %d", a.mem.Rows, b.mem.Rows)
	}
	return nil
}

// inputsOf are the nodes n is computed from, in order.
func inputsOf(n *G.Node) G.Nodes {
	var in G.Nodes
	for it := n.Graph().From(n.ID()); it.Next(); {
		in = append(in, it.Node().(*G.Node))
	}
	return in
}

// SplitRows views x [rows, parts·dim] as [rows·parts, dim] without moving anything.
func SplitRows(x *G.Node, parts int) *G.Node {
	rows, cols := mustMatrix("SplitRows", x)
	if parts < 1 || cols%parts != 0 {
		panic(fmt.Sprintf("nn: SplitRows: %v into %d parts", x.Shape(), parts))
	}
	return view("SplitRows", x, rows*parts, cols/parts)
}

// MergeRows views x [rows·parts, dim] as [rows, parts·dim] without moving anything.
func MergeRows(x *G.Node, parts int) *G.Node {
	rows, cols := mustMatrix("MergeRows", x)
	if parts < 1 || rows%parts != 0 {
		panic(fmt.Sprintf("nn: MergeRows: %d parts of %v", parts, x.Shape()))
	}
	return view("MergeRows", x, rows/parts, cols*parts)
}

func view(name string, x *G.Node, rows, cols int) *G.Node {
	was := x.Shape()
	res := like(0, rows, cols)
	res.mul, res.div = max(1, was[1]/max(1, cols)), max(1, cols/max(1, was[1]))
	return apply(&Op{name: name, alias: true, results: []result{res},
		grad: func(_ *Op, _ G.Nodes, _, dy *G.Node) (G.Nodes, error) {
			return G.Nodes{view(name+".grad", dy, was[0], was[1])}, nil
		}}, x)
}
