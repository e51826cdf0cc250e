// Package half converts between float32 and the two 16-bit floating-point formats that weights and features come in: IEEE binary16
// (F16, 5 bits of exponent) and bfloat16 (BF16, the upper half of a float32).
//
// Widening is exact, subnormals and infinities included. Narrowing rounds to nearest, ties to even; overflow gives infinity. A NaN stays one,
// made quiet where a rounding or binary16 is concerned, and keeps what fits of its payload. The functions on slices work in the calling
// goroutine and give, in every form, the bits that the functions on one number give.
package half

import "math"

// OfBF16 is the number a bfloat16 stands for.
func OfBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBF16 is the bfloat16 nearest to x.
func ToBF16(x float32) uint16 {
	u := math.Float32bits(x)
	if u&0x7fffffff > 0x7f800000 {
		return uint16(u>>16) | 0x40
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// OfF16 is the number a binary16 stands for.
func OfF16(h uint16) float32 {
	sign, u := uint32(h&0x8000)<<16, uint32(h&0x7fff)
	switch {
	case u > 0x7c00:
		return math.Float32frombits(sign | 0x7fc00000 | u<<13)
	case u == 0x7c00:
		return math.Float32frombits(sign | 0x7f800000)
	case u < 0x400: // subnormal: u steps of 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(u)*0x1p-24))
	}
	return math.Float32frombits(sign | (u<<13 + 0x38000000))
}

// ToF16 is the binary16 nearest to x; below 2⁻¹⁴ that is a subnormal.
func ToF16(x float32) uint16 {
	u := math.Float32bits(x)
	sign, u := uint16(u>>16&0x8000), u&0x7fffffff
	switch {
	case u > 0x7f800000: // NaN
		return sign | 0x7e00 | uint16(u>>13&0x3ff)
	case u >= 0x477ff000: // 65520 and above round to infinity
		return sign | 0x7c00
	case u < 0x38800000: // below 2⁻¹⁴: let float32 arithmetic round at 2⁻²⁴, one step of a subnormal
		return sign | uint16(math.Float32bits(math.Float32frombits(u)+0.5)-math.Float32bits(0.5))
	}
	return sign | uint16((u-0x38000000+0xfff+u>>13&1)>>13)
}

// WidenBF16 is dst[i] = OfBF16(src[i]). dst is at least as long as src.
func WidenBF16(dst []float32, src []uint16) {
	dst = dst[:len(src)]
	done := convertArch(fromBF16, src, dst)
	src, dst = src[done:], dst[done:]
	for i, h := range src {
		dst[i] = OfBF16(h)
	}
}

// NarrowBF16 is dst[i] = ToBF16(src[i]). dst is at least as long as src.
func NarrowBF16(dst []uint16, src []float32) {
	dst = dst[:len(src)]
	done := convertArch(toBF16, dst, src)
	src, dst = src[done:], dst[done:]
	for i, x := range src {
		dst[i] = ToBF16(x)
	}
}

// WidenF16 is dst[i] = OfF16(src[i]). dst is at least as long as src.
func WidenF16(dst []float32, src []uint16) {
	dst = dst[:len(src)]
	done := convertArch(fromF16, src, dst)
	src, dst = src[done:], dst[done:]
	for i, h := range src {
		dst[i] = OfF16(h)
	}
}

// NarrowF16 is dst[i] = ToF16(src[i]). dst is at least as long as src.
func NarrowF16(dst []uint16, src []float32) {
	dst = dst[:len(src)]
	done := convertArch(toF16, dst, src)
	src, dst = src[done:], dst[done:]
	for i, x := range src {
		dst[i] = ToF16(x)
	}
}

// conversion is one of the four ways.
type conversion uint8

const (
	toBF16 conversion = iota
	fromBF16
	toF16
	fromF16
)

// Vectors is how many numbers the processor converts at a time, in rising order.
type Vectors int

// The forms, each including the ones before it.
const (
	None    Vectors = iota // plain Go
	Eight                  // AVX2 with F16C
	Sixteen                // AVX-512 F, BW and VL
)

// vectors is the form in use. Tests change it to run every form in one process.
var vectors = best()

// Limit keeps to forms up to most, as CLIPCAP_CPU asks for. It is for a program's start: nothing may be converting yet.
func Limit(most Vectors) { vectors = min(best(), most) }
