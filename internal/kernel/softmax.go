package kernel

// Softmax sets each row of y to eˣ/Σeˣ of the row of x, both [rows, cols]; y may be x. A row whose
// elements are all -Inf gives NaN. The error of exp is below 1 ULP; the sum is taken in
// float32 over stretches of the row and in float64 over those.
func Softmax(y, x Matrix) {
	t := tasks.get()
	t.y, t.x = y, x
	t.overRows(x.Rows, x.Cols, 4, func(t *task, lo, hi int) { softmaxRows(t.y.slab(lo, hi), t.x.slab(lo, hi)) })
}

// softmaxRows is Softmax in the calling goroutine.
func softmaxRows(y, x Matrix) {
	if x.Rows == 0 || x.Cols == 0 || x.Cols <= rowStretch && softmaxArch(y, x) {
		return
	}
	for i := range x.Rows {
		x, y := x.row(i), y.row(i)
		sum := expSumRow(y, x, rowMax(x), 0)
		scaleRow(y, y, 1/sum)
	}
}

// rowStretch is how many terms of a row's sum are added in float32 before float64 takes over.
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
