package kernel

import "math"

// reducePiece is the fixed length of the pieces that reductions are cut into. The pieces' results
// are added in their order, so a sum does not depend on how many goroutines worked on it.
const reducePiece = 1 << 16

// Sum is Σx, accumulated in float64.
func Sum(x []float32) float64 { return reduce(x, sumRow, addWide) }

// SumSquares is Σx², accumulated in float64, so that it cannot overflow.
func SumSquares(x []float32) float64 { return reduce(x, sumSquaresRow, addWide) }

// MaxAbs is the greatest magnitude in x, 0 if x is empty, and NaN if x holds a NaN.
func MaxAbs(x []float32) float32 { return float32(reduce(x, maxAbsWide, maxWide)) }

// HasNaN tells whether x holds a NaN or an infinity.
func HasNaN(x []float32) bool {
	m := MaxAbs(x)
	return m-m != 0 // Inf-Inf and NaN-NaN are NaN
}

func addWide(a, b float64) float64 { return a + b }

// maxWide keeps a NaN.
func maxWide(a, b float64) float64 { return max(a, b) }

// reduce folds row's results over the pieces of x, from the left, beginning with 0.
func reduce(x []float32, row func(x []float32) float64, fold func(a, b float64) float64) float64 {
	if len(x) <= reducePiece {
		return fold(0, row(x))
	}
	t := tasks.get()
	t.a, t.reduce = x, row
	t.run, t.n, t.step = reduceTask, len(x), reducePiece
	if n := t.pieces(); cap(t.wide) < n {
		t.wide = make([]float64, n)
	}
	t.wide = t.wide[:t.pieces()]
	Run(t.pieces(), t)
	var s float64
	for _, v := range t.wide {
		s = fold(s, v)
	}
	tasks.put(t)
	return s
}

func reduceTask(t *task, lo, hi int) { t.wide[lo/reducePiece] = t.reduce(t.a[lo:hi]) }

// sumRow is Sum in the calling goroutine, in eight running sums.
func sumRow(x []float32) float64 {
	if s, ok := sumArch(x); ok {
		return s
	}
	var s [8]float64
	for ; len(x) >= 8; x = x[8:] {
		for i, v := range x[:8] {
			s[i] += float64(v)
		}
	}
	for i, v := range x {
		s[i] += float64(v)
	}
	return (s[0] + s[4]) + (s[2] + s[6]) + ((s[1] + s[5]) + (s[3] + s[7]))
}

// sumSquaresRow is SumSquares in the calling goroutine.
func sumSquaresRow(x []float32) float64 {
	if s, ok := sumSquaresArch(x); ok {
		return s
	}
	var s [8]float64
	for ; len(x) >= 8; x = x[8:] {
		for i, v := range x[:8] {
			s[i] += float64(v) * float64(v)
		}
	}
	for i, v := range x {
		s[i] += float64(v) * float64(v)
	}
	return (s[0] + s[4]) + (s[2] + s[6]) + ((s[1] + s[5]) + (s[3] + s[7]))
}

func maxAbsWide(x []float32) float64 { return float64(maxAbsRow(x)) }

// maxAbsRow is MaxAbs in the calling goroutine: the bits of magnitudes are ordered as they are, with
// NaNs above infinity.
func maxAbsRow(x []float32) float32 {
	if m, ok := maxAbsArch(x); ok {
		return m
	}
	var m uint32
	for _, v := range x {
		m = max(m, math.Float32bits(v)&0x7fffffff)
	}
	return math.Float32frombits(m)
}

// rowMax is the greatest element of x, -Inf if there is none; NaNs are passed over.
func rowMax(x []float32) float32 {
	if m, ok := maxArch(x); ok {
		return m
	}
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

// dotRow is Σ x·y in float32, in sixteen running sums.
func dotRow(x, y []float32) float32 {
	var s [16]float32
	y = y[:len(x)]
	if s, ok := dotArch(x, y); ok {
		return s
	}
	for ; len(x) >= 16; x, y = x[16:], y[16:] {
		for i, v := range x[:16] {
			s[i] += v * y[i]
		}
	}
	for i, v := range x {
		s[i] += v * y[i]
	}
	return fold16(&s)
}

// fold16 adds sixteen running sums by halves.
func fold16(s *[16]float32) float32 {
	for h := 8; h > 0; h /= 2 {
		for i := range h {
			s[i] += s[i+h]
		}
	}
	return s[0]
}
