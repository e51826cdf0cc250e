//go:build amd64 && !noasm

package kernel

import "unsafe"

// The choice of the form; false means that plain Go must do it. Lengths may be anything, 0 included.

func maxArch(x []float32) (float32, bool) {
	switch {
	case isa >= AVX512:
		return maxAVX512(unsafe.SliceData(x), len(x)), true
	case isa == AVX2:
		return maxAVX2(unsafe.SliceData(x), len(x)), true
	}
	return 0, false
}

func expSumArch(y, x []float32, m float32, ahead int) (float32, bool) {
	switch {
	case isa >= AVX512 && y != nil:
		return expSumAVX512(unsafe.SliceData(y), unsafe.SliceData(x), len(x), m, 4*ahead), true
	case isa >= AVX512:
		return sumExpAVX512(unsafe.SliceData(x), len(x), m, 4*ahead), true
	case isa == AVX2 && y != nil:
		return expSumAVX2(unsafe.SliceData(y), unsafe.SliceData(x), len(x), m, 4*ahead), true
	case isa == AVX2:
		return sumExpAVX2(unsafe.SliceData(x), len(x), m, 4*ahead), true
	}
	return 0, false
}

func expScaleArch(y, x []float32, m, s float32) bool {
	switch {
	case isa >= AVX512:
		expScaleAVX512(unsafe.SliceData(y), unsafe.SliceData(x), len(x), m, s)
	case isa == AVX2:
		expScaleAVX2(unsafe.SliceData(y), unsafe.SliceData(x), len(x), m, s)
	default:
		return false
	}
	return true
}

// softmaxArch is softmaxRows for at least one row and column.
func softmaxArch(y, x Matrix) bool {
	switch {
	case isa >= AVX512:
		softmaxRowsAVX512(&y.V[0], &x.V[0], x.Cols, x.Rows, 4*y.Stride, 4*x.Stride)
	case isa == AVX2:
		softmaxRowsAVX2(&y.V[0], &x.V[0], x.Cols, x.Rows, 4*y.Stride, 4*x.Stride)
	default:
		return false
	}
	return true
}

// The assembly.

// softmaxRows; ystep and xstep are the bytes from row to row
//
//go:noescape
func softmaxRowsAVX2(y, x *float32, n, rows, ystep, xstep int)

// softmaxRows; ystep and xstep are the bytes from row to row
//
//go:noescape
func softmaxRowsAVX512(y, x *float32, n, rows, ystep, xstep int)

// return the greatest x[i] that is not a NaN, or -Inf
//
//go:noescape
func maxAVX2(x *float32, n int) float32

// return the greatest x[i] that is not a NaN, or -Inf
//
//go:noescape
func maxAVX512(x *float32, n int) float32

// for i in 0..n: y[i] = exp(x[i] - m); return Σ y[i]; what lies ahead bytes behind x is fetched
//
//go:noescape
func expSumAVX2(y, x *float32, n int, m float32, ahead int) float32

// for i in 0..n: y[i] = exp(x[i] - m); return Σ y[i]; what lies ahead bytes behind x is fetched
//
//go:noescape
func expSumAVX512(y, x *float32, n int, m float32, ahead int) float32

// return Σ exp(x[i] - m), the very sum of expSumAVX2, expSumAVX512
//
//go:noescape
func sumExpAVX2(x *float32, n int, m float32, ahead int) float32

// return Σ exp(x[i] - m), the very sum of expSumAVX2, expSumAVX512
//
//go:noescape
func sumExpAVX512(x *float32, n int, m float32, ahead int) float32

// for i in 0..n: y[i] = exp(x[i] - m)·s
//
//go:noescape
func expScaleAVX2(y, x *float32, n int, m, s float32)

// for i in 0..n: y[i] = exp(x[i] - m)·s
//
//go:noescape
func expScaleAVX512(y, x *float32, n int, m, s float32)
