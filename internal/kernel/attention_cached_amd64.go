//go:build amd64 && !noasm

package kernel

import "unsafe"

func attnListScoresArch(s, q, k []float32, list []int32, stride int) bool {
	switch {
	case isa >= AVX512:
		attnListScoresAVX512(unsafe.SliceData(s), unsafe.SliceData(q), unsafe.SliceData(k), unsafe.SliceData(list), len(list), stride, len(q))
	case isa == AVX2:
		attnListScoresAVX2(unsafe.SliceData(s), unsafe.SliceData(q), unsafe.SliceData(k), unsafe.SliceData(list), len(list), stride, len(q))
	default:
		return false
	}
	return true
}

func attnListMixArch(out, p, v []float32, list []int32, stride int, factor float32) bool {
	switch {
	case isa >= AVX512:
		attnListMixAVX512(unsafe.SliceData(out), unsafe.SliceData(p), unsafe.SliceData(v), unsafe.SliceData(list), len(list), stride, len(out), factor)
	case isa == AVX2:
		attnListMixAVX2(unsafe.SliceData(out), unsafe.SliceData(p), unsafe.SliceData(v), unsafe.SliceData(list), len(list), stride, len(out), factor)
	default:
		return false
	}
	return true
}

// The assembly.

// for i in 0..n: s[i] = Σ q[d]·k[list[i]·stride+d]; s is written up to a multiple of 4
//
//go:noescape
func attnListScoresAVX2(s, q, k *float32, list *int32, n, stride, hd int)

// for i in 0..n: s[i] = Σ q[d]·k[list[i]·stride+d]; s is written up to a multiple of 4
//
//go:noescape
func attnListScoresAVX512(s, q, k *float32, list *int32, n, stride, hd int)

// for d in 0..hd: out[d] = factor·Σ p[i]·v[list[i]·stride+d]
//
//go:noescape
func attnListMixAVX2(out, p, v *float32, list *int32, n, stride, hd int, factor float32)

// for d in 0..hd: out[d] = factor·Σ p[i]·v[list[i]·stride+d]
//
//go:noescape
func attnListMixAVX512(out, p, v *float32, list *int32, n, stride, hd int, factor float32)
