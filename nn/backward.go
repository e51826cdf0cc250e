package nn

import (
	"cmp"
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Gradients are the nodes Backward makes.
type Gradients struct {
	// Seed is the gradient of the loss by itself, a scalar input that is 1 until Set: training with
	// accumulated batches weighs each by it.
	Seed *G.Node
	// Of[i] is the gradient of the i-th parameter, shaped like it.
	Of G.Nodes
}

// Backward extends a graph by the gradients of a scalar loss. It does what gorgonia.Grad does, through
// the same SymDiff, but touches only what leads to the parameters and sums with our own
// operations. Asking for a frozen parameter, or one the loss does not depend on, is an error.
func Backward(loss *G.Node, params ...*Param) (*Gradients, error) {
	if !loss.IsScalar() {
		return nil, fmt.Errorf("backward: the loss has shape %v, want a scalar", loss.Shape())
	}
	g := loss.Graph()
	for _, p := range params {
		if p.Frozen {
			return nil, fmt.Errorf("backward: parameter %s is frozen", p.Name)
		}
	}
	grads := &Gradients{Seed: seed(g, loss)}
	terms := map[*G.Node]G.Nodes{loss: {grads.Seed}}
	totals := map[*G.Node]*G.Node{}
	for _, n := range ancestors(loss) {
		if len(terms[n]) == 0 {
			continue
		}
		d := total(terms[n])
		totals[n] = d
		if n.Op() == nil {
			continue
		}
		op, ok := n.Op().(G.SDOp)
		if !ok {
			return nil, fmt.Errorf("backward: %v has no gradient", n)
		}
		in := inputsOf(n)
		ds, err := op.SymDiff(in, n, d)
		if err != nil {
			return nil, fmt.Errorf("backward: %v: %w", n, err)
		}
		for i, need := range op.DiffWRT(len(in)) {
			if need {
				terms[in[i]] = append(terms[in[i]], ds[i])
			}
		}
	}
	for _, p := range params {
		d := totals[p.Node(g)]
		if d == nil {
			return nil, fmt.Errorf("backward: the loss does not depend on parameter %s", p.Name)
		}
		grads.Of = append(grads.Of, d)
	}
	return grads, nil
}

// total adds up the gradients that reached a node. Those that are few rows of many (a token embedding that is also the head has one) go
// into the first of the others.
func total(terms G.Nodes) *G.Node {
	var whole, few G.Nodes
	for _, t := range terms {
		if o, ok := t.Op().(*Op); ok {
			if _, ok := o.attr.(scattered); ok {
				few = append(few, t)
				continue
			}
		}
		whole = append(whole, t)
	}
	if len(whole) == 0 {
		whole, few = few[:1], few[1:]
	}
	d := sum(whole...)
	for _, t := range few {
		s := t.Op().(*Op).attr.(scattered)
		d = scatterInto(d, s.dy, s.index)
	}
	return d
}

// seed is the scalar input that starts the backward pass.
func seed(g *G.ExprGraph, loss *G.Node) *G.Node {
	name := fmt.Sprintf("d.%d", loss.ID())
	v := newValue(Float, tensor.ScalarShape())
	v.mem.Rows, v.input = 1, &input{name: name}
	n := G.NewScalar(g, tensor.Float32, G.WithName(name), G.WithValue(v))
	if err := Set(n, []float32{1}); err != nil {
		panic(err) // a scalar takes one number
	}
	return n
}

// ancestors are the nodes n is computed from, n first, each before its inputs. A node is made
// after its inputs, so falling ids are such an order.
func ancestors(roots ...*G.Node) G.Nodes {
	seen := map[*G.Node]bool{}
	var list, stack G.Nodes
	stack = append(stack, roots...)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		list = append(list, n)
		stack = append(stack, inputsOf(n)...)
	}
	slices.SortFunc(list, func(a, b *G.Node) int { return cmp.Compare(b.ID(), a.ID()) })
	return list
}
