package weights

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// Half32 is the float32 of an IEEE binary16; exact, subnormals and infinities included. A NaN keeps its payload and is made quiet.
func Half32(h uint16) float32 {
	const magic = 113 << 23 // 2^-14, the smallest normal half
	bits := uint32(h&0x7fff) << 13
	switch exp := bits & (0x1f << 23); exp {
	case 0x1f << 23: // infinity, NaN
		bits += (255 - 31) << 23
		if bits&0x7fffff != 0 {
			bits |= 1 << 22
		}
	case 0: // zero, subnormal: let the float unit normalise
		bits = math.Float32bits(math.Float32frombits(bits+magic) - math.Float32frombits(magic))
	default:
		bits += (127 - 15) << 23
	}
	return math.Float32frombits(bits | uint32(h&0x8000)<<16)
}

// HalfOf rounds a float32 to the nearest binary16, ties to even; what is too large becomes infinity.
func HalfOf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, abs := uint16(bits>>16&0x8000), bits&0x7fffffff
	switch {
	case abs > 0x7f800000: // NaN stays one, and keeps the top of its payload
		return sign | 0x7e00 | uint16(abs>>13&0x3ff)
	case abs >= 0x47800000-0x800: // 65520 and above rounds past the largest half, 65504
		return sign | 0x7c00
	case abs < 113<<23: // subnormal half: adding 0.5 leaves the mantissa rounded at 2^-24
		return sign | uint16(math.Float32bits(math.Float32frombits(abs)+0.5)-0x3f000000)
	}
	abs += 0xfff + abs>>13&1
	return sign | uint16((abs-(127-15)<<23)>>13)
}

// BFloat16Of rounds a float32 to the nearest bfloat16, ties to even.
func BFloat16Of(f float32) uint16 {
	bits := math.Float32bits(f)
	if bits&0x7fffffff > 0x7f800000 {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// toFloat32 converts little-endian numbers of each type.
var toFloat32 = [...]func(dst []float32, raw []byte){
	F64: func(dst []float32, raw []byte) {
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
	},
	F32: func(dst []float32, raw []byte) {
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	},
	F16:  words(kernel.F16ToF32, Half32),
	BF16: words(kernel.BF16ToF32, func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }),
	I64:  integers[float32](8), I32: integers[float32](4), I16: integers[float32](2), I8: integers[float32](1),
	U8: bytes1[float32], Bool: truths[float32],
}

// words converts 16-bit numbers, all at once where they lie as the processor reads them, else one by one.
func words(all func(dst []float32, src []uint16), one func(uint16) float32) func(dst []float32, raw []byte) {
	return func(dst []float32, raw []byte) {
		if raw = raw[:2*len(dst)]; len(raw) == 0 {
			return // the address of nothing may be nobody's
		}
		p := unsafe.Pointer(unsafe.SliceData(raw))
		if littleEndian && uintptr(p)%2 == 0 {
			all(dst, unsafe.Slice((*uint16)(p), len(dst)))
			return
		}
		for i := range dst {
			dst[i] = one(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	}
}

// toInt64 converts little-endian integers of each type.
var toInt64 = [...]func(dst []int64, raw []byte){
	I64: integers[int64](8), I32: integers[int64](4), I16: integers[int64](2), I8: integers[int64](1),
	U8: bytes1[int64], Bool: truths[int64],
}

func integers[T float32 | int64](size int) func(dst []T, raw []byte) {
	return func(dst []T, raw []byte) {
		for i := range dst {
			switch p := raw[size*i:]; size {
			case 8:
				dst[i] = T(int64(binary.LittleEndian.Uint64(p)))
			case 4:
				dst[i] = T(int32(binary.LittleEndian.Uint32(p)))
			case 2:
				dst[i] = T(int16(binary.LittleEndian.Uint16(p)))
			default:
				dst[i] = T(int8(p[0]))
			}
		}
	}
}

func bytes1[T float32 | int64](dst []T, raw []byte) {
	for i := range dst {
		dst[i] = T(raw[i])
	}
}

func truths[T float32 | int64](dst []T, raw []byte) {
	for i := range dst {
		if dst[i] = 0; raw[i] != 0 {
			dst[i] = 1
		}
	}
}
