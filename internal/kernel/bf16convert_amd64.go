//go:build amd64 && !noasm

package kernel

// convertArch converts a leading part of half/wide and returns its length.
func convertArch(kind conversion, half []uint16, wide []float32) int {
	n := len(wide)
	switch {
	case isa >= AVX512:
		n &^= 31
	case isa == AVX2:
		n &^= 15
	default:
		return 0
	}
	if n == 0 {
		return 0
	}
	h, w := &half[0], &wide[0]
	switch wideVector := isa >= AVX512; {
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

// for i in 0..n: half[i] = bf16Of(wide[i]); n a positive multiple of 32
//
//go:noescape
func toBF16AVX512(half *uint16, wide *float32, n int)

// for i in 0..n: half[i] = bf16Of(wide[i]); n a positive multiple of 16
//
//go:noescape
func toBF16AVX2(half *uint16, wide *float32, n int)

// for i in 0..n: wide[i] = f32OfBF16(half[i]); n a positive multiple of 32
//
//go:noescape
func fromBF16AVX512(half *uint16, wide *float32, n int)

// for i in 0..n: wide[i] = f32OfBF16(half[i]); n a positive multiple of 16
//
//go:noescape
func fromBF16AVX2(half *uint16, wide *float32, n int)

// for i in 0..n: half[i] = f16Of(wide[i]); n a positive multiple of 32
//
//go:noescape
func toF16AVX512(half *uint16, wide *float32, n int)

// for i in 0..n: half[i] = f16Of(wide[i]); n a positive multiple of 16
//
//go:noescape
func toF16AVX2(half *uint16, wide *float32, n int)

// for i in 0..n: wide[i] = f32OfF16(half[i]); n a positive multiple of 32
//
//go:noescape
func fromF16AVX512(half *uint16, wide *float32, n int)

// for i in 0..n: wide[i] = f32OfF16(half[i]); n a positive multiple of 16
//
//go:noescape
func fromF16AVX2(half *uint16, wide *float32, n int)
