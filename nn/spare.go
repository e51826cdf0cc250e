package nn

// sparing is a backend that computes AttentionGrad as fast without Out.
type sparing interface{ sparesOut() }

var _ sparing = (*CPU)(nil)

func (*CPU) sparesOut() {}

// spareSteps is how many steps earlier a result must be read for the last time to be worth sparing.
const spareSteps = 16

// spare takes inputs from operations that can do without where nobody else keeps them for so long: the results of attention, which a frozen
// projection reads forward and no gradient reads at all, are a tenth of what a frozen block keeps.
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
