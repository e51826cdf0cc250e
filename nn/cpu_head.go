package nn

import (
	"fmt"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// lossHead is the matrix [vocabulary, dim] that makes the logits, and its packed parts where it keeps them.
type lossHead struct {
	embed Operand
	parts []*kernel.Packed
	whole *kernel.Packed // what the parts are parts of, if they are
}

// head is the loss's head, or why the loss cannot be computed with it.
func (c *CPU) head(a *CrossEntropyArgs) (h lossHead, err error) {
	h.embed = a.Embed
	if !a.DEmbed.None() || !c.has(a.Embed, true) {
		if err := onHost(a.Embed.Weight, "the loss over this head"); err != nil {
			return h, err
		}
	}
	if !c.keeps(a.Embed) {
		return h, nil
	}
	if c.format() == kernel.Int8 && !a.DX.None() {
		return h, fmt.Errorf("the weights of the head %s %v are int8, from which the loss has no gradient; want another format of weights", a.Embed.Weight.Name, a.Embed.Weight.Shape)
	}
	h.whole, h.parts, err = c.packedCut(a.Embed, vocabPart)
	return h, err
}

// packedCut is a parameter's transpose as a right operand, and the same in parts of n columns.
func (c *CPU) packedCut(b Operand, n int) (*kernel.Packed, []*kernel.Packed, error) {
	whole, err := c.packed(b, true, 0)
	if err != nil {
		return nil, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.packs[packKey{param: b.Weight, trans: true}]
	if p.cut == nil {
		for first := 0; first < b.Rows; first += n {
			p.cut = append(p.cut, whole[0].Columns(first, min(n, b.Rows-first)))
		}
	}
	return whole[0], p.cut, nil
}

// gathered are the rows of the head that the targets name, [rows, dim], brought to s where the head is not on the host; else nothing.
func (h *lossHead) gathered(s *lossScratch, targets []int32) (rows kernel.Matrix) {
	if w := h.embed.Weight; w == nil || w.Data != nil {
		return rows
	}
	n := len(targets) * h.embed.Cols
	if cap(s.embed) < n {
		s.embed = kernel.Aligned(n + n/8) // as room has it: batches differ a little
	}
	rows = kernel.Mat(s.embed[:n], len(targets), h.embed.Cols)
	kernel.GatherColumns(rows, h.whole, targets, false)
	return rows
}

// row is the head's row of target t, the i-th, with what was gathered.
func (h *lossHead) row(gathered kernel.Matrix, i int, t int32) []float32 {
	from, at := gathered, i
	if from.V == nil {
		from, at = matrix(h.embed.Tensor), int(t)
	}
	return from.V[at*from.Stride:][:from.Cols]
}

// finishRow turns Σ exp(logit - top)·embedding into the gradient of one row, whose target has embedding e.
func finishRow(dx, e []float32, sum float32, count float64) {
	f := float32(1 / (float64(sum) * count))
	g := float32(1 / count)
	for j := range dx {
		dx[j] = dx[j]*f - e[j]*g
	}
}

// headProduct is y = x·Eᵀ (trans) or x·E for one part of the embeddings.
func (c *CPU) headProduct(y, x kernel.Matrix, head lossHead, trans bool, part int) {
	c.headGemm(y, x, head, trans, part, nil)
}

// headAdd is y += x·E for one part.
func (c *CPU) headAdd(y, x kernel.Matrix, head lossHead, part int) {
	k := c.calls.get()
	defer c.calls.put(k)
	*k = call{residual: y}
	k.ep.Residual = &k.residual
	c.headGemm(y, x, head, false, part, &k.ep)
}

func (c *CPU) headGemm(y, x kernel.Matrix, head lossHead, trans bool, part int, ep *kernel.Epilogue) {
	if head.parts != nil {
		e := head.parts[part]
		if !trans {
			turned := c.once.get()
			defer c.once.put(turned)
			turned.PackTransposed(e)
			e = turned
		}
		kernel.Gemm(y, x, e, ep)
		return
	}
	t := head.embed.Tensor
	t.Off += part * vocabPart * t.Stride
	t.Rows = min(vocabPart, head.embed.Rows-part*vocabPart)
	e := matrix(t)
	if trans {
		e = e.T()
	}
	kernel.GemmBoth(y, x, e, c.precision, ep)
}
