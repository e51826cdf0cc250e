//go:build amd64 && !noasm

package kernel

import "unsafe"

// The choice of the form; false means that plain Go must do it. Lengths may be anything, 0 included.

func normArch(y, x, gain, bias []float32, eps float32, stats *[2]float32) bool {
	switch {
	case isa >= AVX512:
		normAVX512(unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(bias), len(x), eps, stats)
	case isa == AVX2:
		normAVX2(unsafe.SliceData(y), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(bias), len(x), eps, stats)
	default:
		return false
	}
	return true
}

func normSumsArch(dy, x, gain, dgain, dbias []float32, c *[4]float32) bool {
	switch {
	case isa >= AVX512 && dgain != nil:
		normSumsGainAVX512(unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(dgain), unsafe.SliceData(dbias), len(x), c)
	case isa >= AVX512:
		normSumsAVX512(unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), len(x), c)
	case isa == AVX2 && dgain != nil:
		normSumsGainAVX2(unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(dgain), unsafe.SliceData(dbias), len(x), c)
	case isa == AVX2:
		normSumsAVX2(unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), len(x), c)
	default:
		return false
	}
	return true
}

func normGradArch(dx, dy, x, gain, add []float32, c *[4]float32) bool {
	switch {
	case isa >= AVX512 && add != nil:
		normGradAddAVX512(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(add), len(x), c)
	case isa >= AVX512:
		normGradAVX512(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), len(x), c)
	case isa == AVX2 && add != nil:
		normGradAddAVX2(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(add), len(x), c)
	case isa == AVX2:
		normGradAVX2(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), len(x), c)
	default:
		return false
	}
	return true
}

// The assembly.

// layerNormRow; stats receives mean and rstd
//
//go:noescape
func normAVX2(y, x, gain, bias *float32, n int, eps float32, stats *[2]float32)

// layerNormRow; stats receives mean and rstd
//
//go:noescape
func normAVX512(y, x, gain, bias *float32, n int, eps float32, stats *[2]float32)

// normSumsRow without dgain and dbias; c holds mean and rstd and receives the sums behind them
//
//go:noescape
func normSumsAVX2(dy, x, gain *float32, n int, c *[4]float32)

// normSumsRow without dgain and dbias; c holds mean and rstd and receives the sums behind them
//
//go:noescape
func normSumsAVX512(dy, x, gain *float32, n int, c *[4]float32)

// normSumsRow; c as in normSumsVec
//
//go:noescape
func normSumsGainAVX2(dy, x, gain, dgain, dbias *float32, n int, c *[4]float32)

// normSumsRow; c as in normSumsVec
//
//go:noescape
func normSumsGainAVX512(dy, x, gain, dgain, dbias *float32, n int, c *[4]float32)

// normGradRow without add
//
//go:noescape
func normGradAVX2(dx, dy, x, gain *float32, n int, c *[4]float32)

// normGradRow without add
//
//go:noescape
func normGradAVX512(dx, dy, x, gain *float32, n int, c *[4]float32)

// normGradRow
//
//go:noescape
func normGradAddAVX2(dx, dy, x, gain, add *float32, n int, c *[4]float32)

// normGradRow
//
//go:noescape
func normGradAddAVX512(dx, dy, x, gain, add *float32, n int, c *[4]float32)
