package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

// Work is about the memory in bytes that runs need on the machine's backend beside the plan, the inputs, the parameters and their packed forms: for
// operands in the order in which products read them, and for logits that a loss keeps for its gradient. It is 0 on a GPU, which
// plans everything.
func (m *Machine) Work() int {
	c, ok := m.backend.(*CPU)
	if !ok {
		return 0
	}
	right, turned, logits := 0, 0, 0
	lefts := map[int]bool{} // those of one size share their memory
	for i := range m.steps {
		s := &m.steps[i]
		if s.op == nil {
			continue
		}
		switch p, isProduct := s.op.attr.(*product); {
		case isProduct:
			out := s.out[0].shape
			k := s.in[0].shape[1]
			if p.transA {
				k = s.in[0].shape[0]
			}
			l, r := kernel.GemmBytes(out[0], k, out[1], c.precision)
			lefts[l] = true
			if b := s.in[1]; !c.keeps(Operand{Weight: b.param, Once: b.once}) {
				right = max(right, r)
			} else if s.op.name == "MatMul.dx" { // which turns what the forward product reads
				turned = max(turned, r)
			}
		case s.op.name == "CrossEntropy":
			x, words := s.in[0].shape, s.in[1].shape[0]
			part := min(words, vocabPart)
			perRow := 4 * part
			if s.out[1] != nil && s.out[2] == nil && x[0]*words <= keptLogits {
				switch c.keeping() {
				case keepsLogits:
					perRow = 4 * words
				case keepsRounded:
					perRow += 2 * words
				}
			}
			logits = max(logits, withSlack(x[0])*perRow)
			l, r := kernel.GemmBytes(x[0], x[1], part, c.precision)
			back, _ := kernel.GemmBytes(x[0], part, x[1], c.precision)
			lefts[l], lefts[back] = true, true
			right, turned = max(right, r), max(turned, r)
		case s.op.name == "CrossEntropyGrad":
			x := s.in[0].shape
			_, r := kernel.GemmBytes(kernelRows, x[0], x[1], c.precision)
			turned = max(turned, r) // x, for all parts
			l, _ := kernel.GemmBytes(vocabPart, x[0], x[1], c.precision)
			lefts[l] = true
		}
	}
	n := right + turned + logits
	for l := range lefts {
		n += l
	}
	return n
}

// kernelRows is more rows than products cut their right operands for.
const kernelRows = 1 << 20

// Release leaves to the garbage collector what kernels keep from one call to the next, for all backends of the process.
func (c *CPU) Release() { kernel.Release() }

// HeldBytes is the memory the backend holds beside what it was asked for: packed weights, the logits of a loss, and what kernels keep from one
// call to the next, for all backends of the process.
func (c *CPU) HeldBytes() int {
	n := c.PackedBytes() + kernel.HeldBytes()
	for _, l := range []*freeList[lossScratch]{&c.loss, &c.spare} {
		l.mu.Lock()
		for _, s := range l.free {
			n += s.bytes()
		}
		l.mu.Unlock()
	}
	c.mu.Lock()
	for _, s := range c.kept {
		n += s.bytes()
	}
	c.mu.Unlock()
	c.once.mu.Lock()
	for _, p := range c.once.free {
		n += p.Bytes()
	}
	c.once.mu.Unlock()
	return n
}
