//go:build amd64 && !noasm

package kernel

import "unsafe"

// The choice of the form; false means that plain Go must do it. Lengths may be anything, 0 included.

func sumArch(x []float32) (float64, bool) {
	switch {
	case isa >= AVX512:
		return sumAVX512(unsafe.SliceData(x), len(x)), true
	case isa == AVX2:
		return sumAVX2(unsafe.SliceData(x), len(x)), true
	}
	return 0, false
}

func sumSquaresArch(x []float32) (float64, bool) {
	switch {
	case isa >= AVX512:
		return sumSquaresAVX512(unsafe.SliceData(x), len(x)), true
	case isa == AVX2:
		return sumSquaresAVX2(unsafe.SliceData(x), len(x)), true
	}
	return 0, false
}

func maxAbsArch(x []float32) (float32, bool) {
	switch {
	case isa >= AVX512:
		return maxAbsAVX512(unsafe.SliceData(x), len(x)), true
	case isa == AVX2:
		return maxAbsAVX2(unsafe.SliceData(x), len(x)), true
	}
	return 0, false
}

func firstEqualArch(x []float32, v float32) (int, bool) {
	switch {
	case isa >= AVX512:
		return firstEqualAVX512(unsafe.SliceData(x), len(x), v), true
	case isa == AVX2:
		return firstEqualAVX2(unsafe.SliceData(x), len(x), v), true
	}
	return 0, false
}

func firstAboveArch(x []float32, v float32) (int, bool) {
	switch {
	case isa >= AVX512:
		return firstAboveAVX512(unsafe.SliceData(x), len(x), v), true
	case isa == AVX2:
		return firstAboveAVX2(unsafe.SliceData(x), len(x), v), true
	}
	return 0, false
}

// The assembly.

// return Σ x[i]
//
//go:noescape
func sumAVX2(x *float32, n int) float64

// return Σ x[i]
//
//go:noescape
func sumAVX512(x *float32, n int) float64

// return Σ x[i]²
//
//go:noescape
func sumSquaresAVX2(x *float32, n int) float64

// return Σ x[i]²
//
//go:noescape
func sumSquaresAVX512(x *float32, n int) float64

// return the greatest |x[i]|, NaN above all
//
//go:noescape
func maxAbsAVX2(x *float32, n int) float32

// return the greatest |x[i]|, NaN above all
//
//go:noescape
func maxAbsAVX512(x *float32, n int) float32

// return the lowest i with x[i] == v, or n
//
//go:noescape
func firstEqualAVX2(x *float32, n int, v float32) int

// return the lowest i with x[i] == v, or n
//
//go:noescape
func firstEqualAVX512(x *float32, n int, v float32) int

// return the lowest i with x[i] > v, or n
//
//go:noescape
func firstAboveAVX2(x *float32, n int, v float32) int

// return the lowest i with x[i] > v, or n
//
//go:noescape
func firstAboveAVX512(x *float32, n int, v float32) int
