//go:build amd64 && !noasm

package kernel

import "unsafe"

func attnListScoresRoundedArch(s, q []float32, k []uint16, list []int32, stride int) bool {
	switch hd := len(q); {
	case isa >= AVX512 && hd%16 == 0:
		attnListScoresRoundedAVX512(unsafe.SliceData(s), unsafe.SliceData(q), unsafe.SliceData(k), unsafe.SliceData(list), len(list), stride, hd)
	case isa == AVX2 && hd%8 == 0:
		attnListScoresRoundedAVX2(unsafe.SliceData(s), unsafe.SliceData(q), unsafe.SliceData(k), unsafe.SliceData(list), len(list), stride, hd)
	default:
		return false
	}
	return true
}

func attnListMixRoundedArch(out, p []float32, v []uint16, list []int32, stride int, factor float32) bool {
	switch hd := len(out); {
	case isa >= AVX512 && hd%16 == 0:
		attnListMixRoundedAVX512(unsafe.SliceData(out), unsafe.SliceData(p), unsafe.SliceData(v), unsafe.SliceData(list), len(list), stride, hd, factor)
	case isa == AVX2 && hd%8 == 0:
		attnListMixRoundedAVX2(unsafe.SliceData(out), unsafe.SliceData(p), unsafe.SliceData(v), unsafe.SliceData(list), len(list), stride, hd, factor)
	default:
		return false
	}
	return true
}

// The assembly: attnListScoresAVX512 and attnListMixAVX512 on bfloat16, hd a multiple of a vector's numbers.

//go:noescape
func attnListScoresRoundedAVX2(s, q *float32, k *uint16, list *int32, n, stride, hd int)

//go:noescape
func attnListScoresRoundedAVX512(s, q *float32, k *uint16, list *int32, n, stride, hd int)

//go:noescape
func attnListMixRoundedAVX2(out, p *float32, v *uint16, list *int32, n, stride, hd int, factor float32)

//go:noescape
func attnListMixRoundedAVX512(out, p *float32, v *uint16, list *int32, n, stride, hd int, factor float32)
