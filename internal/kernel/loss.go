package kernel

import (
	"math"
	"slices"
)

// SoftmaxChunk takes softmax one chunk of columns further (Milakov and Gimelshein, arXiv
// 1805.02867). For each row i of logits [m, nc], with runMax and runSum [m] holding the greatest
// logit and Σ exp(logit - greatest) of the columns seen so far (at first -Inf and 0):
//
//	new    = max(runMax[i], max of row i)
//	p      = exp(row i - new)
//	corr   = exp(runMax[i] - new), the factor for everything summed before (1 if runMax[i] = new)
//	runSum = runSum·corr + Σp
//	runMax = new
//
// p may be logits, and p.V and corr may be nil where they are not wanted. While every logit is -Inf,
// p and runSum are 0. After the last chunk runMax + log runSum is the row's log Σ exp.
func SoftmaxChunk(p, logits Matrix, runMax, runSum, corr []float32) {
	t := tasks.get()
	t.y, t.x, t.a, t.b, t.c = p, logits, runMax[:logits.Rows], runSum[:logits.Rows], corr
	t.overRows(logits.Rows, logits.Cols, 4, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			var p []float32
			if t.y.V != nil {
				p = t.y.row(i)
			}
			c := softmaxChunkRow(p, t.x.row(i), &t.a[i], &t.b[i], t.x.Stride)
			if t.c != nil {
				t.c[i] = c
			}
		}
	})
}

// softmaxChunkRow is SoftmaxChunk for one row, with the next one ahead elements further on; it returns corr.
func softmaxChunkRow(p, x []float32, runMax, runSum *float32, ahead int) float32 {
	old := *runMax
	m := max(old, rowMax(x))
	if math.IsInf(float64(m), -1) && !anyNaN(x) {
		clear(p)
		return 1
	}
	corr := float32(1)
	if old != m {
		corr = exp32(old - m)
	}
	*runMax, *runSum = m, *runSum*corr+expSumRow(p, x, m, ahead)
	return corr
}

// anyNaN tells a row with a NaN, which must not pass unseen, from one without a finite logit.
func anyNaN(x []float32) bool {
	return slices.ContainsFunc(x, func(v float32) bool { return v != v })
}

// CrossEntropyChunkGrad is the gradient of cross-entropy with respect to a chunk of logits [m, nc],
// whose first column is class first:
//
//	d[i][j] = (exp(logits[i][j] - lse[i]) - [first+j == targets[i]])·scale[i]
//
// lse, targets and scale have m elements; lse is the row's log Σ exp over all classes, scale is the
// weight of the row in the loss (0 gives a zero row whatever the logits). d may be logits. A target
// outside the chunk belongs to another one, and one below 0 to none.
func CrossEntropyChunkGrad(d, logits Matrix, lse []float32, targets []int32, first int32, scale []float32) {
	t := tasks.get()
	m := logits.Rows
	t.y, t.x, t.a, t.b, t.ids, t.id = d, logits, lse[:m], scale[:m], targets[:m], first
	t.overRows(m, logits.Cols, 4, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			d := t.y.row(i)
			if t.b[i] == 0 {
				clear(d)
				continue
			}
			expScaleRow(d, t.x.row(i), t.a[i], t.b[i])
			if j := int(t.ids[i]) - int(t.id); t.ids[i] >= 0 && j >= 0 && j < len(d) {
				d[j] -= t.b[i]
			}
		}
	})
}

// expScaleRow sets y = exp(x - m)·s.
func expScaleRow(y, x []float32, m, s float32) {
	y = y[:len(x)]
	if expScaleArch(y, x, m, s) {
		return
	}
	for i, v := range x {
		y[i] = exp32(v-m) * s
	}
}
