package nn

import "slices"

// betweener is a backend that may keep what passes from one operation to the next in a smaller form than numbers.
type betweener interface {
	// keepsBetween tells whether a form gains anything for so many rows of so many columns.
	keepsBetween(f Form, rows, cols int) bool
	// rounds tells that products, and what goes with them, take and make Rounded rows in whatever place, also for gradients; or, of
	// kept, that they do of what is kept for a gradient alone.
	rounds(kept bool) bool
	// convolvesBetween tells whether Conv2D takes and makes Ordered images for this convolution.
	convolvesBetween(c ConvArgs) bool
	// attendsBetween tells whether attention with heads of dim takes and makes Rounded rows.
	attendsBetween(dim int) bool
	// sizeBetween is the room for a form, in numbers.
	sizeBetween(f Form, rows, cols int) int
}

// pairing is the form in which an operation takes an input or makes a result, if that is not to be numbers; an input is named by its
// index, the result by pairedResult.
type pairing func(be betweener, s *step, at int) Form

// pairedResult stands for the first result in place of an input, pairedResult-r for result r.
const pairedResult = -1

// roundedAt is the pairing of an operation that takes some inputs, or makes some results, in bfloat16 rows.
func roundedAt(places ...int) pairing {
	return func(be betweener, _ *step, at int) Form {
		return roundedIf(be.rounds(false) && slices.Contains(places, at))
	}
}

func roundedIf(yes bool) Form {
	if yes {
		return Rounded
	}
	return Numbers
}

func orderedIf(yes bool) Form {
	if yes {
		return Ordered
	}
	return Numbers
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
	convolves, decodes := false, false
	forms := map[*Value]Form{}
	for i := range m.steps {
		s := &m.steps[i]
		decodes = decodes || s.op != nil && s.op.name == "CachedAttention"
		if s.op == nil || s.op.paired == nil {
			continue
		}
		_, conv := s.op.attr.(Conv)
		convolves = convolves || conv
		for r, v := range s.out {
			if v == nil {
				continue
			}
			if f := s.op.paired(be, s, pairedResult-r); f != Numbers && be.keepsBetween(f, rowsOf(v.shape), v.cols()) {
				forms[v] = f
			}
		}
	}
	for i := range m.steps {
		s := &m.steps[i]
		for at, v := range s.in {
			if f := forms[v]; f != Numbers && (s.op == nil || s.op.paired == nil || s.op.paired(be, s, at) != f) {
				delete(forms, v)
			}
		}
	}
	for n := range m.outputs {
		delete(forms, m.values[n])
	}
	for v, f := range forms {
		if f == Ordered && convolves || f == Rounded && !decodes {
			v.mem.Form = f
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
