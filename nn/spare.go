package nn

// sparing is a backend that computes AttentionGrad as fast without Out.
type sparing interface{ sparesOut() }

var _ sparing = (*CPU)(nil)

func (*CPU) sparesOut() {}

// spareSteps is how many steps earlier a result must be read for the last time to be worth sparing.
const spareSteps = 16

// spare takes from operations an input that they can do without, where nobody else reads it so late. That is attention's result, which its
// gradient need not have: where the projection behind it is frozen no other gradient reads it, and it is a tenth of what a frozen block keeps.
func (m *Machine) spare() {
	if _, ok := m.backend.(sparing); !ok {
		return
	}
	last := map[*Value]int{} // read by others
	for i := range m.steps {
		s := &m.steps[i]
		for at, v := range s.in {
			if s.op == nil || at != s.op.spared-1 {
				last[v] = i
			}
		}
	}
	for i := range m.steps {
		if s := &m.steps[i]; s.op != nil && s.op.spared > 0 && i-last[s.in[s.op.spared-1]] > spareSteps {
			s.in[s.op.spared-1] = nil
		}
	}
}
