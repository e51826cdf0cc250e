package nn

import "slices"

// betweener is a backend that may keep what passes from one operation to the next in a smaller form than numbers.
type betweener interface {
	// keepsBetween tells whether that gains anything for so many rows of so many columns.
	keepsBetween(rows, cols int) bool
	// rounds tells that the smaller form is the same rows of numbers in bfloat16, which products take and make in whatever place, also for
	// gradients, and so do other operations; else it is for images.
	rounds() bool
	// convolvesBetween tells whether Conv2D takes and makes such a form for this convolution.
	convolvesBetween(c ConvArgs) bool
	// attendsBetween tells whether attention with heads of dim takes and makes such a form.
	attendsBetween(dim int) bool
	// sizeBetween is the room for it, in numbers.
	sizeBetween(rows, cols int) int
}

// pairing is what an operation can do with results that are kept in the smaller form; an input is named by its index, the result
// by pairedResult.
type pairing func(be betweener, s *step, at int) bool

// pairedResult stands for the first result in place of an input, pairedResult-r for result r.
const pairedResult = -1

// roundedAt is the pairing of an operation that takes some inputs, or makes some results, in bfloat16 rows.
func roundedAt(places ...int) pairing {
	return func(be betweener, _ *step, at int) bool { return be.rounds() && slices.Contains(places, at) }
}

// compact keeps in the smaller form all results that only products, convolutions and poolings make and read: the images between the
// layers of a ResNet, which are larger than caches. It does so where images are convolved and nowhere else: the rows of a product
// alone can be so few that reading its weights is all it does, which other kernels are better at. A backend that rounds does so everywhere
// but in a decoding step, whose rows are few.
func (m *Machine) compact() {
	be, ok := m.backend.(betweener)
	if !ok {
		return
	}
	convolves, decodes := false, false
	fits := map[*Value]bool{}
	for i := range m.steps {
		s := &m.steps[i]
		decodes = decodes || s.op != nil && s.op.name == "CachedAttention"
		if s.op == nil || s.op.paired == nil {
			continue
		}
		_, conv := s.op.attr.(Conv)
		convolves = convolves || conv
		for r, v := range s.out {
			if v != nil {
				fits[v] = be.keepsBetween(rowsOf(v.shape), v.cols()) && s.op.paired(be, s, pairedResult-r)
			}
		}
	}
	if be.rounds() && decodes || !be.rounds() && !convolves {
		return
	}
	for i := range m.steps {
		s := &m.steps[i]
		for at, v := range s.in {
			fits[v] = fits[v] && s.op != nil && s.op.paired != nil && s.op.paired(be, s, at)
		}
	}
	for n := range m.outputs {
		fits[m.values[n]] = false
	}
	for v, ok := range fits {
		v.mem.Compact = ok
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
