package nn

import "slices"

// betweener is a backend that may keep what passes from one operation to the next in a smaller form than numbers.
type betweener interface {
	// keepsBetween tells whether the backend has a form, and gains anything by it for so many rows of so many columns.
	keepsBetween(f Form, rows, cols int) bool
	// makesRounded tells that a product's result, and the value before its activation, may be Rounded rows, and that a gradient takes
	// the latter so.
	makesRounded() bool
	// multipliesRounded tells that products, and what goes with them, take Rounded rows as operands too, also for gradients.
	multipliesRounded() bool
	// convolvesBetween tells whether Conv2D takes and makes Ordered images for this convolution.
	convolvesBetween(c ConvArgs) bool
	// attendsBetween is how attention with heads of dim, whose queries, keys and values lie in so many matrices, takes these and makes
	// its result, and gradient how its gradient takes and makes gradients.
	attendsBetween(dim, sources int) (taken, made, gradient forms)
	// sizeBetween is the room for a form, in numbers.
	sizeBetween(f Form, rows, cols int) int
}

// forms is a set of forms, without Numbers.
type forms uint8

func (f Form) alone() forms { return 1 << f }

func (s forms) has(f Form) bool { return s&f.alone() != 0 }

// only is the form alone, or none.
func (f Form) only(yes bool) forms {
	if yes {
		return f.alone()
	}
	return 0
}

// pairing is the forms, besides numbers, in which an operation takes an input or makes a result; an input is named by its
// index, the result by pairedResult.
type pairing func(be betweener, s *step, at int) forms

// pairedResult stands for the first result in place of an input, pairedResult-r for result r.
const pairedResult = -1

// roundedAt is the pairing of an operation that takes some inputs, or makes some results, in bfloat16 rows.
func roundedAt(places ...int) pairing {
	return func(be betweener, _ *step, at int) forms {
		return Rounded.only(be.multipliesRounded() && slices.Contains(places, at))
	}
}

// pairs is the pairing of a step's operation, which may have none.
func (s *step) pairs(be betweener, at int) forms {
	if s.op == nil || s.op.paired == nil {
		return 0
	}
	return s.op.paired(be, s, at)
}

// compact finds the results that whoever makes and reads them can have in a smaller form. Ordered are the images between the
// layers of a ResNet, which are larger than caches; so nothing is where no images are convolved: the rows of a product
// alone can be so few that reading its weights is all it does, which other kernels are better at. For the like reason nothing is rounded in
// a decoding step.
func (m *Machine) compact() {
	be, ok := m.backend.(betweener)
	if !ok {
		return
	}
	allowed := Rounded.alone()
	common := map[*Value]forms{}
	for i := range m.steps {
		s := &m.steps[i]
		if s.op == nil {
			continue
		}
		if _, conv := s.op.attr.(Conv); conv {
			allowed |= Ordered.alone()
		}
		for r, v := range s.out {
			if v == nil {
				continue
			}
			for _, f := range []Form{Rounded, Ordered} {
				if s.pairs(be, pairedResult-r).has(f) && be.keepsBetween(f, rowsOf(v.shape), v.cols()) {
					common[v] |= f.alone()
				}
			}
		}
	}
	for i := range m.steps {
		s := &m.steps[i]
		if s.op != nil && s.op.name == "CachedAttention" {
			allowed &^= Rounded.alone()
		}
		for at, v := range s.in {
			if common[v] != 0 {
				common[v] &= s.pairs(be, at)
			}
		}
	}
	for n := range m.outputs {
		delete(common, m.values[n])
	}
	for v, can := range common {
		switch can &= allowed; {
		case can.has(Ordered):
			v.mem.Form = Ordered
		case can.has(Rounded):
			v.mem.Form = Rounded
		}
	}
}

// onlyFirst tells whether a step has no result but the first.
func (s *step) onlyFirst() bool {
	for _, v := range s.out[1:] {
		if v != nil {
			return false
		}
	}
	return true
}
