//go:build amd64 && !noasm

package half

import "golang.org/x/sys/cpu"

func best() Vectors {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA: // FMA: F16C, which is older, has no flag here
		return None
	case !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512VL:
		return Eight
	}
	return Sixteen
}

// convertArch converts a leading part of half/wide, which are of one length, and returns its length.
func convertArch(kind conversion, half []uint16, wide []float32) int {
	n := len(wide)
	switch {
	case vectors == Sixteen:
		n &^= 31
	case vectors == Eight:
		n &^= 15
	default:
		return 0
	}
	if n == 0 {
		return 0
	}
	h, w := &half[0], &wide[0]
	switch wideVector := vectors == Sixteen; {
	case kind == toBF16 && wideVector:
		toBF16AVX512(h, w, n)
	case kind == toBF16:
		toBF16AVX2(h, w, n)
	case kind == fromBF16 && wideVector:
		fromBF16AVX512(h, w, n)
	case kind == fromBF16:
		fromBF16AVX2(h, w, n)
	case kind == toF16 && wideVector:
		toF16AVX512(h, w, n)
	case kind == toF16:
		toF16AVX2(h, w, n)
	case kind == fromF16 && wideVector:
		fromF16AVX512(h, w, n)
	case kind == fromF16:
		fromF16AVX2(h, w, n)
	}
	return n
}

// for i in 0..n: half[i] = ToBF16(wide[i]); n a positive multiple of 32
//
//go:noescape
func toBF16AVX512(half *uint16, wide *float32, n int)

// for i in 0..n: half[i] = ToBF16(wide[i]); n a positive multiple of 16
//
//go:noescape
func toBF16AVX2(half *uint16, wide *float32, n int)

// for i in 0..n: wide[i] = OfBF16(half[i]); n a positive multiple of 32
//
//go:noescape
func fromBF16AVX512(half *uint16, wide *float32, n int)

// for i in 0..n: wide[i] = OfBF16(half[i]); n a positive multiple of 16
//
//go:noescape
func fromBF16AVX2(half *uint16, wide *float32, n int)

// for i in 0..n: half[i] = ToF16(wide[i]); n a positive multiple of 32
//
//go:noescape
func toF16AVX512(half *uint16, wide *float32, n int)

// for i in 0..n: half[i] = ToF16(wide[i]); n a positive multiple of 16
//
//go:noescape
func toF16AVX2(half *uint16, wide *float32, n int)

// for i in 0..n: wide[i] = OfF16(half[i]); n a positive multiple of 32
//
//go:noescape
func fromF16AVX512(half *uint16, wide *float32, n int)

// for i in 0..n: wide[i] = OfF16(half[i]); n a positive multiple of 16
//
//go:noescape
func fromF16AVX2(half *uint16, wide *float32, n int)
