package nn

import "slices"

// chainer is a backend that may keep what passes from one product to the next in a form of its own.
type chainer interface {
	// chains tells whether that gains anything.
	chains() bool
	// gemmChain is y = second(first(x)) with the same result as two calls of Gemm.
	gemmChain(y, x Tensor, first, second link) error
}

// link is a product of a chain, but for its left operand.
type link struct {
	b      Operand
	transB bool
	ep     *Epilogue
}

// chain makes one step of two products of which the second alone reads the first's result, as its left operand: the two
// layers of an MLP. The result between them needs no memory of the graph's then. What the first keeps for its gradient, the value before
// an activation, is a result of the chain.
func (m *Machine) chain() {
	be, ok := m.backend.(chainer)
	if !ok || !be.chains() {
		return
	}
	readers := map[*Value]int{}
	for i := range m.steps {
		for _, v := range m.steps[i].in {
			readers[v]++
		}
	}
	makers := map[*Value]int{} // the products by their results, as indices into steps
	steps := m.steps[:0]
	for i := range m.steps {
		s := m.steps[i]
		if p := s.product(); p != nil {
			if at, ok := makers[s.in[0]]; ok && readers[s.in[0]] == 1 && !m.isOutput(s.in[0]) && unread(steps[at].out[1:], steps[at+1:]) {
				s = chained(steps[at], s)
				steps[at] = step{} // dropped below
			} else {
				makers[s.out[0]] = len(steps)
			}
		}
		steps = append(steps, s)
	}
	m.steps = steps[:0]
	for _, s := range steps {
		if s.op != nil || s.foreign != nil {
			m.steps = append(m.steps, s)
		}
	}
}

// unread tells whether steps read none of some values, so that these may come later.
func unread(values []*Value, steps []step) bool {
	for i := range steps {
		for _, v := range values {
			if v != nil && slices.Contains(steps[i].in, v) {
				return false
			}
		}
	}
	return true
}

// product is the product a step computes, if it does just that, with its left operand as it lies.
func (s *step) product() *product {
	if s.op == nil {
		return nil
	}
	if p, ok := s.op.attr.(*product); ok && !p.transA {
		return p
	}
	return nil
}

// chained is the step of both.
func chained(first, second step) step {
	p, q := first.product(), second.product()
	s := step{node: second.node}
	s.in = append(append(s.in, first.in...), second.in[1:]...)
	s.out = append(append(s.out, second.out...), first.out[1:]...)
	n, own, kept := len(first.in), len(second.out), first.out
	right := make([]*Value, len(second.in)) // of a run in progress
	middle := second.in[0]
	results := slices.Concat(second.op.results, first.op.results[1:])
	s.op = &Op{name: first.op.name + "·" + second.op.name, results: results,
		paired: func(be betweener, _ *step, at int) forms {
			can := forms(0)
			switch {
			case at <= pairedResult-own:
				can = first.pairs(be, at+own-1)
			case at < 0:
				can = second.pairs(be, at)
			case at < n:
				can = first.pairs(be, at)
			default:
				can = second.pairs(be, at-n+1)
			}
			return can & Rounded.alone()
		},
		run: func(be Backend, in, out []*Value) error {
			middle.mem.Rows = in[0].mem.Rows
			right[0] = middle
			copy(right[1:], in[n:])
			a, err := p.link(in[:n], kept)
			if err != nil {
				return err
			}
			b, err := q.link(right, out[:own])
			if err != nil {
				return err
			}
			return be.(chainer).gemmChain(out[0].mat(), in[0].mat(), a, b)
		}}
	return s
}
