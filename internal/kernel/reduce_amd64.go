//go:build amd64 && !noasm

package kernel

import "unsafe"

// The choice of the form; false means that plain Go must do it. Lengths may be anything, 0 included.

func sumSquaresArch(x []float32) (float64, bool) {
	switch {
	case isa >= AVX512:
		return sumSquaresAVX512(unsafe.SliceData(x), len(x)), true
	case isa == AVX2:
		return sumSquaresAVX2(unsafe.SliceData(x), len(x)), true
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

// return Σ x[i]²
//
//go:noescape
func sumSquaresAVX2(x *float32, n int) float64

// return Σ x[i]²
//
//go:noescape
func sumSquaresAVX512(x *float32, n int) float64

// return the lowest i with x[i] > v, or n
//
//go:noescape
func firstAboveAVX2(x *float32, n int, v float32) int

// return the lowest i with x[i] > v, or n
//
//go:noescape
func firstAboveAVX512(x *float32, n int, v float32) int
