package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

// keptLogits bounds the logits, in numbers, that the loss of a trainable head keeps for its gradient: 256 MB. Reading
// them back costs a tenth of computing them again.
const keptLogits = 64 << 20

// keeping is what a loss keeps of its logits for its gradient.
type keeping int

const (
	keepsNothing keeping = iota
	keepsLogits          // as they are, in float32
	keepsRounded         // exp(logit - the greatest so far), in bfloat16, to which products round their gradient anyway
)

// lossScratch is what the loss needs besides its arguments.
type lossScratch struct {
	keeps                  keeping
	gradients              bool      // what was kept has become the gradients of the logits
	logits                 []float32 // [rows, vocabPart], or of every part of a loss that keeps them
	rounded                []uint16  // of every part of a loss that keeps them so
	tops                   []float32 // [parts, rows], what was the greatest by then
	top, sum, corr, perRow []float32 // [rows]
	logTarget              []float32
	embed                  []float32 // [rows, dim], of a head that is not on the host
}

// place names the memory of a result; no two machines share one.
type place struct {
	buf Buffer
	off int
}

// room makes s large enough for rows of so many words.
func (s *lossScratch) room(rows, words int) {
	logits := words
	if s.keeps != keepsLogits {
		logits = min(words, vocabPart)
	}
	if len(s.logits) < rows*logits {
		s.logits = nil // not both at once
		s.logits = kernel.Aligned(withSlack(rows) * logits)
	}
	if s.keeps == keepsRounded {
		if len(s.rounded) < rows*words {
			s.rounded = nil
			s.rounded = make([]uint16, withSlack(rows)*words)
		}
		grow(&s.tops, (words+vocabPart-1)/vocabPart*rows)
	}
	for _, v := range [...]*[]float32{&s.top, &s.sum, &s.corr, &s.perRow, &s.logTarget} {
		grow(v, rows)
	}
}

// withSlack is rows and some more: batches differ a little.
func withSlack(rows int) int { return rows + rows/8 }

// grow makes v n long.
func grow(v *[]float32, n int) {
	if cap(*v) < n {
		*v = make([]float32, n)
	}
	*v = (*v)[:n]
}

// bytes is the memory s holds.
func (s *lossScratch) bytes() int {
	return 4*(cap(s.logits)+cap(s.tops)+cap(s.top)+cap(s.sum)+cap(s.corr)+cap(s.perRow)+cap(s.logTarget)+cap(s.embed)) + 2*cap(s.rounded)
}

// part is the float32 logits of n words from first on, or their gradients.
func (s *lossScratch) part(rows, first, n int) kernel.Matrix {
	at := 0
	if s.keeps == keepsLogits {
		at = rows * first
	}
	return kernel.Mat(s.logits[at:at+rows*n], rows, n)
}

// half is what is kept of n words from first on.
func (s *lossScratch) half(rows, first, n int) kernel.RoundedMatrix {
	return kernel.RoundedMatrix{V: s.rounded[rows*first : rows*(first+n)], Rows: rows, Cols: n, Stride: n}
}

// gradient makes d, a part whose logits it may be, the gradients of its logits.
func (s *lossScratch) gradient(d kernel.Matrix, lse []float32, targets []int32, part, first int) {
	switch {
	case s.keeps != keepsRounded && !s.gradients:
		kernel.CrossEntropyChunkGrad(d, d, lse, targets, int32(first), s.perRow)
	case s.keeps != keepsRounded:
	case s.gradients:
		s.half(d.Rows, first, d.Cols).Widen(d)
	default:
		kernel.CrossEntropyRoundedGrad(d, s.half(d.Rows, first, d.Cols), &kernel.RoundedRows{
			Top: s.tops[part*d.Rows:], LSE: lse, Targets: targets, LogTarget: s.logTarget, Scale: s.perRow,
		}, int32(first))
	}
}

// keeping is how a loss over this head keeps its logits.
func (c *CPU) keeping() keeping {
	if c.format() == kernel.BF16 {
		return keepsRounded
	}
	return keepsLogits
}

// borrow lends memory for a loss. What is kept for the gradient is found again by the loss's LSE.
func (c *CPU) borrow(a *CrossEntropyArgs, keep bool) *lossScratch {
	from, keeps := &c.loss, keepsNothing
	if keep {
		from, keeps = &c.spare, c.keeping()
	}
	s := from.get()
	s.keeps, s.gradients = keeps, false
	s.room(a.X.Rows, a.Embed.Rows)
	if keep {
		c.keep(a, s)
	}
	return s
}

// keep holds s until the loss with this LSE asks for it.
func (c *CPU) keep(a *CrossEntropyArgs, s *lossScratch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[place{a.LSE.Buf, a.LSE.Off}] = s
}

// take hands out what the loss with this LSE kept, or nil.
func (c *CPU) take(a *CrossEntropyArgs) *lossScratch {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := place{a.LSE.Buf, a.LSE.Off}
	s := c.kept[at]
	delete(c.kept, at)
	return s
}
