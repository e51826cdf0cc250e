package nn

import (
	"math"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// vocabPart is how many words of the vocabulary are worked on at a time: enough for full-speed products,
// few enough that a part of the logits stays in the cache.
const vocabPart = 2048

// keptLogits bounds the logits, in numbers, that the loss of a trainable head keeps for its gradient: 256 MB. Reading
// them back costs a tenth of computing them again.
const keptLogits = 64 << 20

// lossScratch is what the loss needs besides its arguments.
type lossScratch struct {
	logits                 []float32 // [rows, vocabPart], or of every part of a loss that keeps them
	top, sum, corr, perRow []float32 // [rows]
	logTarget              []float32
	embed                  []float32 // [rows, dim], of a head that is not on the host
	gradients              bool      // the logits that were kept are their gradients by now
}

// place names the memory of a result; no two machines share one.
type place struct {
	buf Buffer
	off int
}

// room makes s large enough for rows, and for the logits of words.
func (s *lossScratch) room(rows, words int) {
	if len(s.logits) < rows*words {
		s.logits = nil // not both at once
		s.logits = kernel.Aligned((rows + rows/8) * words)
	}
	for _, v := range [...]*[]float32{&s.top, &s.sum, &s.corr, &s.perRow, &s.logTarget} {
		if cap(*v) < rows {
			*v = make([]float32, rows)
		}
		*v = (*v)[:rows]
	}
}

// CrossEntropy goes once over the vocabulary. For each part it computes the logits, takes the running
// softmax further, and, where the gradient of x is wanted, adds the part's probabilities times its
// embeddings to it, rescaling what was summed before: attention with the embeddings as keys and values.
func (c *CPU) CrossEntropy(a *CrossEntropyArgs) error {
	head, err := c.head(a)
	if err != nil {
		return err
	}
	targets := indices(a.Targets)
	keep := !a.LSE.None() && a.DX.None() && a.X.Rows*a.Embed.Rows <= keptLogits
	if old := c.take(a); old != nil { // of a run that failed before its gradient
		c.spare.put(old)
	}
	s := c.borrow(a, keep)
	if !keep {
		defer c.loss.put(s)
	}
	for i := range s.top {
		s.top[i], s.sum[i] = float32(math.Inf(-1)), 0
	}
	x, dx := matrix(a.X), matrix(a.DX)
	a.eachPart(func(part, first, n int) {
		logits := s.part(x.Rows, first, n, keep)
		c.headProduct(logits, x, head, true, part)
		for i, t := range targets {
			if int(t) >= first && int(t) < first+n {
				s.logTarget[i] = logits.V[i*n+int(t)-first]
			}
		}
		p := logits
		if dx.V == nil { // the sum alone is wanted
			p = kernel.Matrix{}
		}
		kernel.SoftmaxChunk(p, logits, s.top, s.sum, s.corr)
		if dx.V == nil {
			return
		}
		if first == 0 {
			c.headProduct(dx, logits, head, false, part)
			return
		}
		for i, f := range s.corr {
			if f != 1 {
				kernel.Scale(dx.V[i*dx.Stride:][:dx.Cols], dx.V[i*dx.Stride:][:dx.Cols], f)
			}
		}
		c.headAdd(dx, logits, head, part)
	})
	var embed kernel.Matrix
	if dx.V != nil {
		embed = head.gathered(s, targets)
	}
	count := countTargets(targets)
	var loss float64
	for i, t := range targets {
		lse := float64(s.top[i]) + math.Log(float64(s.sum[i]))
		if !a.LSE.None() {
			vector(a.LSE)[i] = float32(lse)
		}
		if t >= 0 {
			loss += lse - float64(s.logTarget[i])
		}
		switch {
		case dx.V == nil:
		case t < 0:
			clear(dx.V[i*dx.Stride:][:dx.Cols])
		default:
			finishRow(dx.V[i*dx.Stride:][:dx.Cols], head.row(embed, i, t), s.sum[i], count)
		}
	}
	vector(a.Loss)[0] = 0
	if count > 0 {
		vector(a.Loss)[0] = float32(loss / count)
	}
	return nil
}

// borrow lends memory for a loss. What is kept for the gradient is found again by the loss's LSE.
func (c *CPU) borrow(a *CrossEntropyArgs, keep bool) *lossScratch {
	if !keep {
		s := c.loss.get()
		s.room(a.X.Rows, vocabPart)
		return s
	}
	s := c.spare.get()
	s.room(a.X.Rows, a.Embed.Rows)
	s.gradients = false
	c.keep(a, s)
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

// part is the logits of n words from first on.
func (s *lossScratch) part(rows, first, n int, kept bool) kernel.Matrix {
	at := 0
	if kept {
		at = rows * first
	}
	return kernel.Mat(s.logits[at:at+rows*n], rows, n)
}

// CrossEntropyGrad takes the logits the loss has kept, or computes each part's again, and from them the gradients of x and of the
// embeddings.
func (c *CPU) CrossEntropyGrad(a *CrossEntropyArgs) error {
	head, err := c.head(a)
	if err != nil {
		return err
	}
	targets := indices(a.Targets)
	s := c.take(a)
	kept := s != nil
	switch {
	case kept && a.DEmbed.None(): // its turn comes
		defer c.keep(a, s)
	case kept:
		defer c.spare.put(s)
	default:
		s = c.borrow(a, false)
		defer c.loss.put(s)
	}
	scale := float32(float64(vector(a.DLoss)[0]) / countTargets(targets))
	for i, t := range targets {
		s.perRow[i] = scale
		if t < 0 {
			s.perRow[i] = 0
		}
	}
	x, dx, de := matrix(a.X), matrix(a.DX), matrix(a.DEmbed)
	var right *kernel.Packed // x, for all parts
	if de.V != nil {
		right = c.once.get()
		defer c.once.put(right)
		right.Pack(x, kernel.FormatFor(c.precision))
	}
	a.eachPart(func(part, first, n int) {
		logits := s.part(x.Rows, first, n, kept)
		if !kept {
			c.headProduct(logits, x, head, true, part)
		}
		if !s.gradients {
			kernel.CrossEntropyChunkGrad(logits, logits, vector(a.LSE), targets, int32(first), s.perRow)
		}
		if dx.V != nil {
			if first == 0 {
				c.headProduct(dx, logits, head, false, part)
			} else {
				c.headAdd(dx, logits, head, part)
			}
		}
		if de.V != nil {
			d := de
			d.V, d.Rows = de.V[first*de.Stride:], n
			kernel.Gemm(d, logits.T(), right, nil)
		}
	})
	s.gradients = kept
	return nil
}

// eachPart calls f for every part of the vocabulary: its number, first word and number of words.
func (a *CrossEntropyArgs) eachPart(f func(part, first, n int)) {
	for first := 0; first < a.Embed.Rows; first += vocabPart {
		f(first/vocabPart, first, min(vocabPart, a.Embed.Rows-first))
	}
}
