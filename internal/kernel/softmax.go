package kernel

import "math"

// Softmax sets each row of y to eˣ/Σeˣ of the row of x, both [rows, cols]; y may be x. A row whose
// elements are all -Inf gives NaN. The error of exp is below 1 ULP; the sum is taken in
// float32 over stretches of the row and in float64 over those.
func Softmax(y, x Matrix) {
	t := tasks.get()
	t.y, t.x = y, x
	if x.Cols > rowStretch {
		t.softmaxLong()
		return
	}
	t.overRows(x.Rows, x.Cols, 4, func(t *task, lo, hi int) { softmaxRows(t.y.slab(lo, hi), t.x.slab(lo, hi)) })
}

// SoftmaxGrad is the backward pass of Softmax from its result: dx = y·(dy - Σ dy·y), row by row.
// dx may be dy or y.
func SoftmaxGrad(dx, dy, y Matrix) {
	t := tasks.get()
	t.x, t.z, t.y = dx, dy, y
	t.overRows(y.Rows, y.Cols, 2, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			dy, y := t.z.row(i), t.y.row(i)
			mulSubRow(t.x.row(i), dy, y, dotRow(dy, y))
		}
	})
}

// LogSoftmax sets each row of y to x - log Σeˣ; y may be x.
func LogSoftmax(y, x Matrix) {
	t := tasks.get()
	t.y, t.x = y, x
	if x.Cols > rowStretch {
		t.logSoftmaxLong()
		return
	}
	t.overRows(x.Rows, x.Cols, 4, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			x := t.x.row(i)
			m := rowMax(x)
			sum := float64(expSumRow(nil, x, m, t.x.Stride))
			offsetRow(t.y.row(i), x, -m, float32(-math.Log(sum)))
		}
	})
}

// softmaxRows is Softmax in the calling goroutine, for rows of one stretch.
func softmaxRows(y, x Matrix) {
	if x.Rows == 0 || x.Cols == 0 || softmaxArch(y, x) {
		return
	}
	for i := range x.Rows {
		x, y := x.row(i), y.row(i)
		sum := expSumPart(y, x, rowMax(x), 0)
		scaleRow(y, y, 1/sum)
	}
}

// rowStretch is how many terms of a row's sum are added in float32 before float64 takes over, and how much of
// a long row one goroutine takes at a time: it stays in the first-level cache while it is passed over twice.
const rowStretch = 4608

// expSumRow sets y = exp(x - m) and returns its sum; y may be nil. What lies ahead elements behind x's is
// fetched into the cache meanwhile: what will be passed over next.
func expSumRow(y, x []float32, m float32, ahead int) float32 {
	var sum float64
	for at := 0; at < len(x); at += rowStretch {
		end := min(at+rowStretch, len(x))
		var part []float32
		if y != nil {
			part = y[at:end]
		}
		sum += float64(expSumPart(part, x[at:end], m, ahead))
	}
	return float32(sum)
}

// expSumPart is expSumRow of one stretch, with the sum in running sums of float32.
func expSumPart(y, x []float32, m float32, ahead int) float32 {
	if s, ok := expSumArch(y, x, m, ahead); ok {
		return s
	}
	var s [16]float32
	for i, v := range x {
		e := exp32(v - m)
		if y != nil {
			y[i] = e
		}
		s[i&15] += e
	}
	return fold16(&s)
}

// mulSubRow sets dx = y·(dy - s).
func mulSubRow(dx, dy, y []float32, s float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	if mulSubArch(dx, dy, y, s) {
		return
	}
	for i, v := range y {
		dx[i] = v * (dy[i] - s)
	}
}

// offsetRow sets y = (x + a) + b.
func offsetRow(y, x []float32, a, b float32) {
	y = y[:len(x)]
	if offsetArch(y, x, a, b) {
		return
	}
	for i, v := range x {
		y[i] = (v + a) + b
	}
}
