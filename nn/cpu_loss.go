package nn

import (
	"math"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// vocabPart is how many words of the vocabulary are worked on at a time: enough for full-speed products,
// few enough that a part of the logits stays in the cache.
const vocabPart = 2048

// CrossEntropy goes once over the vocabulary. For each part it computes the logits, takes the running
// softmax further, and, where the gradient of x is wanted, adds the part's probabilities times its
// embeddings to it, rescaling what was summed before: attention with the embeddings as keys and values.
func (c *CPU) CrossEntropy(a *CrossEntropyArgs) error {
	head, err := c.head(a)
	if err != nil {
		return err
	}
	targets := indices(a.Targets)
	if old := c.take(a); old != nil { // of a run that failed before its gradient
		c.spare.put(old)
	}
	keep := !a.LSE.None() && a.DX.None() && a.X.Rows*a.Embed.Rows <= keptLogits
	s := c.borrow(a, keep)
	if !keep {
		defer c.loss.put(s)
	}
	for i := range s.top {
		s.top[i], s.sum[i] = float32(math.Inf(-1)), 0
	}
	x, dx := matrix(a.X), matrix(a.DX)
	a.eachPart(func(part, first, n int) {
		logits := s.part(x.Rows, first, n)
		c.headProduct(logits, x, head, true, part)
		for i, t := range targets {
			if int(t) >= first && int(t) < first+n {
				s.logTarget[i] = logits.V[i*n+int(t)-first]
			}
		}
		if s.keeps == keepsRounded {
			kernel.SoftmaxChunkRounded(s.half(x.Rows, first, n), logits, s.top, s.sum)
			copy(s.tops[part*x.Rows:], s.top)
			return
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

// CrossEntropyGrad takes the logits the loss has kept, or computes each part's again, and from them the gradients of x and of the
// embeddings.
func (c *CPU) CrossEntropyGrad(a *CrossEntropyArgs) error {
	head, err := c.head(a)
	if err != nil {
		return err
	}
	targets := indices(a.Targets)
	s := c.take(a)
	switch {
	case s == nil:
		s = c.borrow(a, false)
		defer c.loss.put(s)
	case a.DEmbed.None(): // its turn comes
		defer c.keep(a, s)
	default:
		defer c.spare.put(s)
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
		d := s.part(x.Rows, first, n)
		if s.keeps == keepsNothing {
			c.headProduct(d, x, head, true, part)
		}
		s.gradient(d, vector(a.LSE), targets, part, first)
		if dx.V != nil {
			if first == 0 {
				c.headProduct(dx, d, head, false, part)
			} else {
				c.headAdd(dx, d, head, part)
			}
		}
		if de.V != nil {
			e := de
			e.V, e.Rows = de.V[first*de.Stride:], n
			kernel.Gemm(e, d.T(), right, nil)
		}
	})
	s.gradients = s.keeps != keepsNothing
	return nil
}

// eachPart calls f for every part of the vocabulary: its number, first word and number of words.
func (a *CrossEntropyArgs) eachPart(f func(part, first, n int)) {
	for first := 0; first < a.Embed.Rows; first += vocabPart {
		f(first/vocabPart, first, min(vocabPart, a.Embed.Rows-first))
	}
}
