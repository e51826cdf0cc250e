package nn

import "slices"

// split cuts operations in two that compute a result much earlier than it is read: the gradient of an embedding that is also the
// head comes out of the loss, first of all gradients, and waits for the embedding's, the last. Such a result is computed
// by a second call of the operation, before its first reader, where the backend says that this costs nothing.
func (m *Machine) split() {
	for i := 0; i < len(m.steps); i++ {
		s := &m.steps[i]
		if s.op == nil || s.op.late == nil {
			continue
		}
		r := s.op.late(m.backend)
		if r == 0 || s.out[0] == nil || s.out[r] == nil || m.isOutput(s.out[r]) {
			continue
		}
		late := step{node: s.node, op: s.op, in: s.in, out: make([]*Value, len(s.out))}
		late.out[r] = s.out[r]
		s.out = slices.Clone(s.out) // taps have found theirs
		s.out[r] = nil
		for at := i + 1; at < len(m.steps); at++ {
			if slices.Contains(m.steps[at].in, late.out[r]) {
				m.steps = slices.Insert(m.steps, at, late)
				break
			}
		}
	}
}

func (m *Machine) isOutput(v *Value) bool {
	for n := range m.outputs {
		if m.values[n] == v {
			return true
		}
	}
	return false
}
