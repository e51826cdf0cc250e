package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// product is act(op(a)·op(b) + bias)·gradOf'(gradPre) + residual, or what is positive of it, all in one kernel. The
// inputs are a, b and then those of bias, gradPre and residual that are there.
type product struct {
	transA, transB bool
	act, gradOf    Activation
	bias           *G.Node // [n]
	gradPre        *G.Node // [m, n]
	residual       *G.Node // [m, n]
	positive       bool    // ReLU of it all

	biasAt, gradPreAt, residualAt int // among the inputs, 0: none

	epilogue Epilogue // of the run in progress
}

// plain tells whether nothing is fused to the product yet.
func (p *product) plain() bool {
	return p.act == NoActivation && p.gradOf == NoActivation && p.bias == nil && p.residual == nil && !p.positive
}

// node builds the graph node of a·b.
func (p product) node(name string, a, b *G.Node) *G.Node {
	ar, ac := mustMatrix(name, a)
	br, bc := mustMatrix(name, b)
	rows := 0 // the result has a's live rows …
	if p.transA {
		ar, ac = ac, ar
		rows = -1 // … or a fixed number
	}
	if p.transB {
		br, bc = bc, br
	}
	if ac != br {
		panic(fmt.Sprintf("nn: %s: %v (transposed: %v) times %v (transposed: %v)", name, a.Shape(), p.transA, b.Shape(), p.transB))
	}
	out := result{shape: tensor.Shape{ar, bc}, rows: rows, mul: 1, div: 1}
	o := &Op{name: name, results: []result{out}, attr: &p}
	if p.act != NoActivation {
		o.results = append(o.results, out) // the value before the activation
	}
	in := G.Nodes{a, b}
	at := func(n *G.Node, what string, shape ...int) int {
		if n == nil {
			return 0
		}
		mustShape(name, what, n, shape...)
		in = append(in, n)
		return len(in) - 1
	}
	bias := at(p.bias, "bias", bc)
	p.gradPreAt = at(p.gradPre, "the activation's input", ar, bc)
	residual := at(p.residual, "residual", ar, bc)
	p.biasAt, p.residualAt = bias, residual
	p.epilogue.Act, p.epilogue.GradOf, p.epilogue.Positive = p.act, p.gradOf, p.positive
	o.run = func(be Backend, in, out []*Value) error {
		l, err := p.link(in, out)
		if err != nil {
			return err
		}
		return be.Gemm(out[0].mat(), in[0].mat(), p.transA, l.b, l.transB, l.ep)
	}
	if p.transA {
		if !p.transB {
			o.paired = roundedAt(0, 1)
		}
	} else {
		o.paired = func(be betweener, s *step, at int) forms {
			if at == pairedResult-1 || at > 1 && at == p.gradPreAt { // what is kept before an activation
				return Rounded.only(be.makesRounded())
			}
			rounded := Rounded.only(at == pairedResult && be.makesRounded() || at == 0 && be.multipliesRounded())
			return rounded | Ordered.only(s.onlyFirst() && p.gradPre == nil && s.in[1].param != nil && (at == pairedResult || at == 0 || at > 1 && at == residual))
		}
	}
	if !p.transA && p.gradOf == NoActivation {
		o.grad = func(o *Op, in G.Nodes, y, dy *G.Node) (G.Nodes, error) {
			return p.symDiff(o, in, y, dy, bias, residual)
		}
	}
	return apply(o, in...)
}

// link is the product of a run with these inputs and results; it stands until the next.
func (p *product) link(in, out []*Value) (link, error) {
	if err := p.checkRows(in); err != nil {
		return link{}, err
	}
	ep := &p.epilogue
	if p.biasAt > 0 {
		ep.Bias = in[p.biasAt].vec()
	}
	if p.gradPreAt > 0 {
		ep.GradPre = in[p.gradPreAt].mat()
	}
	if p.residualAt > 0 {
		ep.Residual = in[p.residualAt].mat()
	}
	if len(out) > 1 {
		ep.Pre = out[1].mat()
	}
	return link{b: in[1].operand(), transB: p.transB, ep: ep}, nil
}

// checkRows holds the live rows of the inputs against each other.
func (p *product) checkRows(in []*Value) error {
	if p.transA && in[0].mem.Rows != in[1].mem.Rows {
		return fmt.Errorf("%d live rows against %d", in[0].mem.Rows, in[1].mem.Rows)
	}
	for _, at := range [...]int{p.gradPreAt, p.residualAt} {
		if at > 0 && in[at].mem.Rows != in[0].mem.Rows {
			return fmt.Errorf("%d live rows against %d", in[0].mem.Rows, in[at].mem.Rows)
		}
	}
	return nil
}

// symDiff builds the gradients of a product's inputs; bias and residual are the places of theirs, 0 where there are none.
func (p *product) symDiff(o *Op, in G.Nodes, y, dy *G.Node, bias, residual int) (G.Nodes, error) {
	ds := make(G.Nodes, len(in))
	if p.positive { // where the result is positive, so was what ReLU was taken of
		dy = activateGrad(dy, y, ReLUAct)
	}
	if residual > 0 && o.need[residual] {
		ds[residual] = dy
	}
	dz := dy
	if p.act != NoActivation && (o.need[0] || o.need[1] || bias > 0 && o.need[bias]) {
		dz = activateGrad(dy, tap(y, 1), p.act)
	}
	if bias > 0 && o.need[bias] { // first: it reads dz while that is in the cache
		ds[bias] = colSum(dz)
	}
	if o.need[0] {
		ds[0] = product{transB: !p.transB}.node("MatMul.dx", dz, in[1])
	}
	if o.need[1] {
		if p.transB {
			ds[1] = product{transA: true}.node("MatMul.dw", dz, again(in[0]))
		} else {
			ds[1] = product{transA: true}.node("MatMul.dw", again(in[0]), dz)
		}
	}
	return ds, nil
}

// MatMul is x·w for x [rows, k] and w [k, n], or w [n, k] when transW is set.
func MatMul(x, w *G.Node, transW bool) *G.Node {
	return product{transB: transW}.node("MatMul", x, w)
}

// colSum is the sum over the rows of a, [n].
func colSum(a *G.Node) *G.Node {
	_, n := mustMatrix("ColSum", a)
	return apply(&Op{name: "ColSum", results: []result{full(n)}, paired: roundedAt(0), run: func(be Backend, in, out []*Value) error {
		return be.ColSum(out[0].vec(), in[0].mat())
	}}, a)
}
