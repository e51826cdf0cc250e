//go:build amd64 && !noasm

package kernel

import "unsafe"

// The choice of the form; false means that plain Go must do it. Lengths may be anything, 0 included.

func addArch(dst, a, b []float32) bool {
	switch {
	case isa >= AVX512:
		addAVX512(unsafe.SliceData(dst), unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	case isa == AVX2:
		addAVX2(unsafe.SliceData(dst), unsafe.SliceData(a), unsafe.SliceData(b), len(a))
	default:
		return false
	}
	return true
}

func joinArch(dst, x, a, b []float32, floor float32) bool {
	switch {
	case isa >= AVX512:
		joinAVX512(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(x), floor)
	case isa == AVX2:
		joinAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(a), unsafe.SliceData(b), len(x), floor)
	default:
		return false
	}
	return true
}

func scaleArch(dst, x []float32, s float32) bool {
	switch {
	case isa >= AVX512:
		scaleAVX512(unsafe.SliceData(dst), unsafe.SliceData(x), len(x), s)
	case isa == AVX2:
		scaleAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), len(x), s)
	default:
		return false
	}
	return true
}

func mulSubArch(dx, dy, y []float32, s float32) bool {
	switch {
	case isa >= AVX512:
		mulSubAVX512(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), len(y), s)
	case isa == AVX2:
		mulSubAVX2(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), len(y), s)
	default:
		return false
	}
	return true
}

func rejectArch(dx, dy, y []float32, s, r float32) bool {
	switch {
	case isa >= AVX512:
		rejectAVX512(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), len(y), s, r)
	case isa == AVX2:
		rejectAVX2(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), len(y), s, r)
	default:
		return false
	}
	return true
}

func dotArch(x, y []float32) (float32, bool) {
	switch {
	case isa >= AVX512:
		return dotAVX512(unsafe.SliceData(x), unsafe.SliceData(y), len(x)), true
	case isa == AVX2:
		return dotAVX2(unsafe.SliceData(x), unsafe.SliceData(y), len(x)), true
	}
	return 0, false
}

// The assembly.

// for i in 0..n: dst[i] = a[i] + b[i]
//
//go:noescape
func addAVX2(dst, a, b *float32, n int)

// for i in 0..n: dst[i] = a[i] + b[i]
//
//go:noescape
func addAVX512(dst, a, b *float32, n int)

// for i in 0..n: dst[i] = max((x[i] + a[i]) + b[i], floor)
//
//go:noescape
func joinAVX2(dst, x, a, b *float32, n int, floor float32)

// for i in 0..n: dst[i] = max((x[i] + a[i]) + b[i], floor)
//
//go:noescape
func joinAVX512(dst, x, a, b *float32, n int, floor float32)

// for i in 0..n: dst[i] = x[i]·s
//
//go:noescape
func scaleAVX2(dst, x *float32, n int, s float32)

// for i in 0..n: dst[i] = x[i]·s
//
//go:noescape
func scaleAVX512(dst, x *float32, n int, s float32)

// for i in 0..n: dx[i] = y[i]·(dy[i] - s)
//
//go:noescape
func mulSubAVX2(dx, dy, y *float32, n int, s float32)

// for i in 0..n: dx[i] = y[i]·(dy[i] - s)
//
//go:noescape
func mulSubAVX512(dx, dy, y *float32, n int, s float32)

// for i in 0..n: dx[i] = (dy[i] - y[i]·s)·r
//
//go:noescape
func rejectAVX2(dx, dy, y *float32, n int, s, r float32)

// for i in 0..n: dx[i] = (dy[i] - y[i]·s)·r
//
//go:noescape
func rejectAVX512(dx, dy, y *float32, n int, s, r float32)

// return Σ x[i]·y[i]
//
//go:noescape
func dotAVX2(x, y *float32, n int) float32

// return Σ x[i]·y[i]
//
//go:noescape
func dotAVX512(x, y *float32, n int) float32
