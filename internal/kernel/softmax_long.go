package kernel

import "math"

// Long rows are cut into stretches, so that a few of them keep every core busy: each stretch is taken against
// its own greatest element, and when all are done its share of the row's sum is known (Milakov and
// Gimelshein, arXiv 1805.02867). Where the cuts lie depends on the row's length alone.

// softmaxLong is Softmax for rows of several stretches. It gives t back.
func (t *task) softmaxLong() {
	t.stretches(func(t *task, lo, hi int) {
		x, m, sum := t.stretch(&t.x, lo)
		y, _, _ := t.stretch(&t.y, lo)
		*m = rowMax(x)
		*sum = expSumPart(y, x, finite(*m), len(x))
	})
	for i := range t.x.Rows { // a stretch's share in place of its sum
		top, sums := t.stretchesOf(i)
		m, sum := foldStretches(top, sums)
		for j, v := range top {
			sums[j] = float32(math.Exp(float64(v)-m) / sum)
		}
	}
	t.run = func(t *task, lo, hi int) {
		y, _, share := t.stretch(&t.y, lo)
		scaleRow(y, y, *share)
	}
	Run(t.pieces(), t)
	tasks.put(t)
}

// logSoftmaxLong is LogSoftmax for rows of several stretches. It gives t back.
func (t *task) logSoftmaxLong() {
	t.stretches(func(t *task, lo, hi int) {
		x, m, sum := t.stretch(&t.x, lo)
		*m = rowMax(x)
		*sum = expSumPart(nil, x, finite(*m), len(x))
	})
	for i := range t.x.Rows { // the row's own in place of each stretch's
		top, sums := t.stretchesOf(i)
		m, sum := foldStretches(top, sums)
		for j := range top {
			top[j], sums[j] = float32(-m), float32(-math.Log(sum))
		}
	}
	t.run = func(t *task, lo, hi int) {
		x, m, log := t.stretch(&t.x, lo)
		y, _, _ := t.stretch(&t.y, lo)
		offsetRow(y, x, *m, *log)
	}
	Run(t.pieces(), t)
	tasks.put(t)
}

// stretches applies run to every stretch of every row of t.x; lo is the stretch's number.
func (t *task) stretches(run func(t *task, lo, hi int)) {
	n := t.perRow() * t.x.Rows
	t.partial(2 * n)
	t.run, t.n, t.step = run, n, 1
	Run(n, t)
}

// perRow is how many stretches a row has.
func (t *task) perRow() int { return (t.x.Cols + rowStretch - 1) / rowStretch }

// stretch is stretch k of m, and where its greatest element and its sum are kept.
func (t *task) stretch(m *Matrix, k int) (v []float32, top, sum *float32) {
	from := k % t.perRow() * rowStretch
	return m.segment(k/t.perRow(), from, min(from+rowStretch, m.Cols)), &t.part[k], &t.part[t.n+k]
}

// stretchesOf is the greatest elements and the sums of row i's stretches.
func (t *task) stretchesOf(i int) (top, sums []float32) {
	k := t.perRow()
	return t.part[i*k : (i+1)*k], t.part[t.n+i*k : t.n+(i+1)*k]
}

// finite is m, or 0 for the -Inf of a stretch without a number: exp(-Inf - 0) is the 0 that it should be.
func finite(m float32) float32 {
	if math.IsInf(float64(m), -1) {
		return 0
	}
	return m
}

// foldStretches is a row's greatest element and its Σ exp(x - that); NaN where all are -Inf.
func foldStretches(top, sums []float32) (m, sum float64) {
	m = math.Inf(-1)
	for _, v := range top {
		m = max(m, float64(v))
	}
	for j, v := range top {
		if e := math.Exp(float64(v) - m); e != 0 || sums[j] != sums[j] {
			sum += float64(sums[j]) * e
		}
	}
	return m, sum
}
