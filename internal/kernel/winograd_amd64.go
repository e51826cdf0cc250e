//go:build amd64 && !noasm

package kernel

import (
	"math"
	"unsafe"
)

func winogradInArch(dst []float32, step int, from *[winogradPlaces]unsafe.Pointer, n int) bool {
	switch {
	case isa >= AVX512 && n >= 16:
		winogradInAVX512(&dst[0], 4*step, from, n)
	case isa >= AVX2 && n >= 8:
		winogradInAVX2(&dst[0], 4*step, from, n)
	default:
		return false
	}
	return true
}

func winogradOutArch(to *[4]unsafe.Pointer, src []float32, step int, bias []float32, relu bool) bool {
	floor := float32(math.Inf(-1))
	if relu {
		floor = 0
	}
	switch {
	case isa >= AVX512 && len(bias) >= 16:
		winogradOutAVX512(to, &src[0], 4*step, &bias[0], len(bias), floor)
	case isa >= AVX2 && len(bias) >= 8:
		winogradOutAVX2(to, &src[0], 4*step, &bias[0], len(bias), floor)
	default:
		return false
	}
	return true
}

// winogradIn for n of at least a vector's length; step is in bytes.
//
//go:noescape
func winogradInAVX512(dst *float32, step int, from *[winogradPlaces]unsafe.Pointer, n int)

//go:noescape
func winogradInAVX2(dst *float32, step int, from *[winogradPlaces]unsafe.Pointer, n int)

// winogradOut for n of at least a vector's length, and what lies above floor of it; step is in bytes.
//
//go:noescape
func winogradOutAVX512(to *[4]unsafe.Pointer, src *float32, step int, bias *float32, n int, floor float32)

//go:noescape
func winogradOutAVX2(to *[4]unsafe.Pointer, src *float32, step int, bias *float32, n int, floor float32)
