//go:build amd64 && !noasm

package kernel

import "unsafe"

// actArch is actRow for x of any length; false means not handled.
func actArch(dst, x []float32, a Activation) bool {
	d, s, n := unsafe.SliceData(dst), unsafe.SliceData(x), len(x)
	wide := isa >= AVX512
	if isa < AVX2 {
		return false
	}
	switch a {
	case GELUTanh:
		if wide {
			geluAVX512(d, s, n)
		} else {
			geluAVX2(d, s, n)
		}
	case QuickGELU:
		if wide {
			quickAVX512(d, s, n)
		} else {
			quickAVX2(d, s, n)
		}
	case GELUErf:
		if wide {
			erfGELUAVX512(d, s, n)
		} else {
			erfGELUAVX2(d, s, n)
		}
	case ReLU:
		if wide {
			reluAVX512(d, s, n)
		} else {
			reluAVX2(d, s, n)
		}
	case Tanh:
		if wide {
			tanhAVX512(d, s, n)
		} else {
			tanhAVX2(d, s, n)
		}
	default:
		return false
	}
	return true
}

// actAhead is how many bytes ahead the slopes of the GELUs fetch what they read.
const actAhead = 4096

// actGradArch is actGradRow for x of any length; false means not handled.
func actGradArch(dx, dy, x []float32, a Activation) bool {
	d, g, s, n := unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), len(x)
	ahead := 0
	if n >= 4*actAhead { // not a few columns of a product
		ahead = actAhead
	}
	wide := isa >= AVX512
	if isa < AVX2 {
		return false
	}
	switch a {
	case GELUTanh:
		if wide {
			geluGradAVX512(d, g, s, n, ahead)
		} else {
			geluGradAVX2(d, g, s, n, ahead)
		}
	case QuickGELU:
		if wide {
			quickGradAVX512(d, g, s, n, ahead)
		} else {
			quickGradAVX2(d, g, s, n, ahead)
		}
	case GELUErf:
		if wide {
			erfGELUGradAVX512(d, g, s, n)
		} else {
			erfGELUGradAVX2(d, g, s, n)
		}
	case ReLU:
		if wide {
			reluGradAVX512(d, g, s, n)
		} else {
			reluGradAVX2(d, g, s, n)
		}
	case Tanh:
		if wide {
			tanhGradAVX512(d, g, s, n)
		} else {
			tanhGradAVX2(d, g, s, n)
		}
	default:
		return false
	}
	return true
}

// The forward forms: for i in 0..n: dst[i] = f(x[i]); dst may be x.

//go:noescape
func geluAVX2(dst, x *float32, n int)

//go:noescape
func geluAVX512(dst, x *float32, n int)

//go:noescape
func quickAVX2(dst, x *float32, n int)

//go:noescape
func quickAVX512(dst, x *float32, n int)

//go:noescape
func erfGELUAVX2(dst, x *float32, n int)

//go:noescape
func erfGELUAVX512(dst, x *float32, n int)

//go:noescape
func reluAVX2(dst, x *float32, n int)

//go:noescape
func reluAVX512(dst, x *float32, n int)

//go:noescape
func tanhAVX2(dst, x *float32, n int)

//go:noescape
func tanhAVX512(dst, x *float32, n int)

// The backward forms: for i in 0..n: dx[i] = dy[i]·f′(x[i]); dx may be dy or x. What lies ahead bytes further on is fetched.

//go:noescape
func geluGradAVX2(dx, dy, x *float32, n, ahead int)

//go:noescape
func geluGradAVX512(dx, dy, x *float32, n, ahead int)

//go:noescape
func quickGradAVX2(dx, dy, x *float32, n, ahead int)

//go:noescape
func quickGradAVX512(dx, dy, x *float32, n, ahead int)

//go:noescape
func erfGELUGradAVX2(dx, dy, x *float32, n int)

//go:noescape
func erfGELUGradAVX512(dx, dy, x *float32, n int)

//go:noescape
func reluGradAVX2(dx, dy, x *float32, n int)

//go:noescape
func reluGradAVX512(dx, dy, x *float32, n int)

//go:noescape
func tanhGradAVX2(dx, dy, x *float32, n int)

//go:noescape
func tanhGradAVX512(dx, dy, x *float32, n int)
