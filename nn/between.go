package nn

// betweener is a backend that may keep what passes from one operation to the next in a smaller form than numbers.
type betweener interface {
	// keepsBetween tells whether that gains anything for rows of so many columns.
	keepsBetween(cols int) bool
	// convolvesBetween tells whether Conv2D takes and makes such a form for this convolution.
	convolvesBetween(c ConvArgs) bool
	// sizeBetween is the room for it, in numbers.
	sizeBetween(rows, cols int) int
}

// pairing is what an operation can do with results that are kept in the smaller form; an input is named by its index, the result
// by pairedResult.
type pairing func(be betweener, s *step, at int) bool

// pairedResult stands for the result in place of an input.
const pairedResult = -1

// compact keeps in the smaller form all results that only products, convolutions and poolings make and read: the images between the
// layers of a ResNet, which are larger than caches. It does so where images are convolved and nowhere else: the rows of a product
// alone can be so few that reading its weights is all it does, which other kernels are better at.
func (m *Machine) compact() {
	be, ok := m.backend.(betweener)
	if !ok {
		return
	}
	convolves := false
	fits := map[*Value]bool{}
	for i := range m.steps {
		s := &m.steps[i]
		if s.op == nil || s.op.paired == nil {
			continue
		}
		_, conv := s.op.attr.(Conv)
		convolves = convolves || conv
		v := s.out[0]
		fits[v] = be.keepsBetween(v.cols()) && s.op.paired(be, s, pairedResult)
	}
	if !convolves {
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
