//go:build amd64 && !noasm

package kernel

import "golang.org/x/sys/cpu"

// spinFMA512 does rounds times 16 chains of acc = x*acc + y on 16 floats.
//
//go:noescape
func spinFMA512(rounds int)

// spinFMA256 does rounds times 12 chains of acc = x*acc + y on 8 floats.
//
//go:noescape
func spinFMA256(rounds int)

// spinDot512 does rounds times 16 chains of acc += x·y on 16 pairs of bfloat16.
//
//go:noescape
func spinDot512(rounds int)

// spinTiles does rounds times 4 chains of acc += x·y on tiles of 16 rows by 32 bfloat16.
//
//go:noescape
func spinTiles(rounds int)

// readFloats reads n floats from x: for i := range n { sum += x[i] }.
//
//go:noescape
func readFloats(x *float32, n int)

// mapFloats is for i := range n { dst[i] = src[i] + 1 }.
//
//go:noescape
func mapFloats(dst, src *float32, n int)

// updateFloats is for i := range n { p[i] += grad[i]; m[i] += grad[i]; v[i] += grad[i] }.
//
//go:noescape
func updateFloats(p, m, v, grad *float32, n int)

func fmaSpin() spinner {
	switch {
	case isa >= AVX512:
		return spinner{spinFMA512, 16 * 16 * 2}
	case isa == AVX2:
		return spinner{spinFMA256, 12 * 8 * 2}
	}
	return spinner{spinScalar, 8}
}

func dotSpin() spinner {
	if isa >= AVX512 && cpu.X86.HasAVX512BF16 {
		return spinner{spinDot512, 16 * 16 * 4}
	}
	return spinner{}
}

func tileSpin() spinner {
	if isa == AMX {
		return spinner{spinTiles, 4 * 16 * 16 * 32 * 2}
	}
	return spinner{}
}

func readStreamArch(x []float32) bool {
	if isa < AVX2 {
		return false
	}
	if len(x) > 0 {
		readFloats(&x[0], len(x))
	}
	return true
}

func mapStreamArch(dst, src []float32) bool {
	if isa < AVX2 {
		return false
	}
	if len(dst) > 0 {
		mapFloats(&dst[0], &src[0], len(dst))
	}
	return true
}

func updateStreamArch(p, m, v, g []float32) bool {
	if isa < AVX2 {
		return false
	}
	if len(g) > 0 {
		updateFloats(&p[0], &m[0], &v[0], &g[0], len(g))
	}
	return true
}
