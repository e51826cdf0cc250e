package kernel

import (
	"math"
	"sync"
)

// F32ToBF16 rounds src to bfloat16 bit patterns, to nearest with ties to even. Subnormals are
// rounded like other numbers, overflow gives infinity, and a NaN stays a NaN (made quiet, its upper
// payload bits kept). dst must be as long as src.
func F32ToBF16(dst []uint16, src []float32) { runConvert(toBF16, dst[:len(src)], src) }

// BF16ToF32 widens bfloat16 bit patterns; exact. dst must be as long as src.
func BF16ToF32(dst []float32, src []uint16) { runConvert(fromBF16, src, dst[:len(src)]) }

// F32ToF16 rounds src to IEEE binary16 bit patterns, to nearest with ties to even. Results below
// 2⁻¹⁴ are subnormal, overflow gives infinity, and a NaN stays a NaN (made quiet, its upper payload
// bits kept). dst must be as long as src.
func F32ToF16(dst []uint16, src []float32) { runConvert(toF16, dst[:len(src)], src) }

// F16ToF32 widens IEEE binary16 bit patterns; exact, subnormals included. A signalling NaN is made
// quiet. dst must be as long as src.
func F16ToF32(dst []float32, src []uint16) { runConvert(fromF16, src, dst[:len(src)]) }

// bf16Of is F32ToBF16 for one number.
func bf16Of(x float32) uint16 {
	u := math.Float32bits(x)
	if u&0x7fffffff > 0x7f800000 {
		return uint16(u>>16) | 0x40
	}
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// f32OfBF16 is BF16ToF32 for one number.
func f32OfBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// roundBF16 is x rounded to bfloat16 and widened again.
func roundBF16(x float32) float32 { return f32OfBF16(bf16Of(x)) }

// f16Of is F32ToF16 for one number.
func f16Of(x float32) uint16 {
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

// f32OfF16 is F16ToF32 for one number.
func f32OfF16(h uint16) float32 {
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

type conversion uint8

const (
	toBF16 conversion = iota
	fromBF16
	toF16
	fromF16
)

// convertPiece is how many elements one piece of a long conversion has: enough to pay for handing
// it over, and few enough that it stays in the second-level cache.
const convertPiece = 1 << 15

// convertJob converts half to wide or back; both have the same length.
type convertJob struct {
	kind conversion
	half []uint16
	wide []float32
}

// Do converts piece i.
func (j *convertJob) Do(i int) {
	lo := i * convertPiece
	hi := min(lo+convertPiece, len(j.wide))
	half, wide := j.half[lo:hi], j.wide[lo:hi]
	done := convertArch(j.kind, half, wide)
	half, wide = half[done:], wide[done:]
	switch j.kind {
	case toBF16:
		for i, x := range wide {
			half[i] = bf16Of(x)
		}
	case fromBF16:
		for i, h := range half {
			wide[i] = f32OfBF16(h)
		}
	case toF16:
		for i, x := range wide {
			half[i] = f16Of(x)
		}
	case fromF16:
		for i, h := range half {
			wide[i] = f32OfF16(h)
		}
	}
}

var convertJobs = sync.Pool{New: func() any { return new(convertJob) }}

func runConvert(kind conversion, half []uint16, wide []float32) {
	j := convertJobs.Get().(*convertJob)
	*j = convertJob{kind, half, wide}
	Run((len(wide)+convertPiece-1)/convertPiece, j)
	*j = convertJob{}
	convertJobs.Put(j)
}
