package kernel

import "math"

// reducePiece is the fixed length of the pieces that a sum is cut into. The pieces' results
// are added in their order, so a sum does not depend on how many goroutines worked on it.
const reducePiece = 1 << 16

// SumSquares is Σx², accumulated in float64, so that it cannot overflow.
func SumSquares(x []float32) float64 {
	if len(x) <= reducePiece {
		return sumSquaresRow(x)
	}
	t := tasks.get()
	t.a = x
	t.run, t.n, t.step = sumSquaresTask, len(x), reducePiece
	if n := t.pieces(); cap(t.wide) < n {
		t.wide = make([]float64, n)
	}
	t.wide = t.wide[:t.pieces()]
	Run(t.pieces(), t)
	var s float64
	for _, v := range t.wide {
		s += v
	}
	tasks.put(t)
	return s
}

func sumSquaresTask(t *task, lo, hi int) { t.wide[lo/reducePiece] = sumSquaresRow(t.a[lo:hi]) }

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
