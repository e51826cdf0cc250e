package kernel

import "github.com/clipcap-go/clipcap/internal/half"

// SoftmaxChunkRounded is SoftmaxChunk whose p, rounded to bfloat16, is kept for CrossEntropyRoundedGrad. The logits are used up. A
// p lies between 0 and 1 and keeps its relative precision, which rounded logits, of which some are a hundred apart, would not give it.
func SoftmaxChunkRounded(p RoundedMatrix, logits Matrix, runMax, runSum []float32) {
	t := tasks.get()
	t.rounded, t.x, t.a, t.b = p, logits, runMax[:logits.Rows], runSum[:logits.Rows]
	t.overRows(logits.Rows, logits.Cols, 4, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			x := t.x.row(i)
			softmaxChunkRow(x, x, &t.a[i], &t.b[i], t.x.Stride)
			half.NarrowBF16(t.rounded.row(i), x)
		}
	})
}

// RoundedRows are the rows [m] whose loss CrossEntropyRoundedGrad takes the gradient of.
type RoundedRows struct {
	Top       []float32 // runMax as the chunk's SoftmaxChunkRounded left it
	LSE       []float32 // log Σ exp over all classes
	Targets   []int32   // classes; below 0 for none
	LogTarget []float32 // the logits of the targets
	Scale     []float32 // the weight of the row in the loss
}

// CrossEntropyRoundedGrad is CrossEntropyChunkGrad from the p of SoftmaxChunkRounded:
//
//	d[i][j] = (p[i][j]·exp(Top[i] - LSE[i]) - [first+j == Targets[i]])·Scale[i]
//
// The target's own is taken from its logit, not from the rounded p, since little is left of it where the model is sure. d is
// float32, and p becomes d, rounded.
func CrossEntropyRoundedGrad(d Matrix, p RoundedMatrix, rows *RoundedRows, first int32) {
	t := tasks.get()
	m := d.Rows
	t.y, t.rounded, t.ids, t.id = d, p, rows.Targets[:m], first
	t.a, t.b, t.c, t.d = rows.Top[:m], rows.LSE[:m], rows.LogTarget[:m], rows.Scale[:m]
	t.overRows(m, d.Cols, 2, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			d, p := t.y.row(i), t.rounded.row(i)
			if t.d[i] == 0 {
				clear(d)
				clear(p)
				continue
			}
			half.WidenBF16(d, p)
			scaleRow(d, d, exp32(t.a[i]-t.b[i])*t.d[i])
			if j := int(t.ids[i]) - int(t.id); t.ids[i] >= 0 && j >= 0 && j < len(d) {
				d[j] = (exp32(t.c[i]-t.b[i]) - 1) * t.d[i]
			}
			half.NarrowBF16(p, d)
		}
	})
}
