package weights

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/clipcap-go/clipcap/internal/half"
)

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
	F16:  words(half.WidenF16, half.OfF16),
	BF16: words(half.WidenBF16, half.OfBF16),
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
