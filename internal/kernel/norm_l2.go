package kernel

import "math"

// L2Normalize sets each row of y to x/‖x‖₂ and norm[i] to ‖x‖₂, whose sum of squares is taken in
// float64; norm [rows] may be nil, and y may be x. A zero row stays zero.
func L2Normalize(y, x Matrix, norm []float32) {
	t := tasks.get()
	t.y, t.x, t.a = y, x, norm
	t.overRows(x.Rows, x.Cols, 2, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			x := t.x.row(i)
			n := float32(math.Sqrt(sumSquaresRow(x)))
			scaleRow(t.y.row(i), x, inverse(n))
			if t.a != nil {
				t.a[i] = n
			}
		}
	})
}

// L2NormalizeGrad is the backward pass of L2Normalize from its results y and norm:
// dx = (dy - y·Σ dy·y)/norm, row by row, and zero where norm is 0. dx may be dy or y.
func L2NormalizeGrad(dx, dy, y Matrix, norm []float32) {
	t := tasks.get()
	t.x, t.z, t.y, t.a = dx, dy, y, norm[:y.Rows]
	t.overRows(y.Rows, y.Cols, 2, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			dy, y := t.z.row(i), t.y.row(i)
			rejectRow(t.x.row(i), dy, y, dotRow(dy, y), inverse(t.a[i]))
		}
	})
}

// inverse is 1/n, and 0 for 0.
func inverse(n float32) float32 {
	if n == 0 {
		return 0
	}
	return 1 / n
}

// rejectRow sets dx = (dy - y·s)·r.
func rejectRow(dx, dy, y []float32, s, r float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	if rejectArch(dx, dy, y, s, r) {
		return
	}
	for i, v := range y {
		dx[i] = (dy[i] - v*s) * r
	}
}
