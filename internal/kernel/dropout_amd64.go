//go:build amd64 && !noasm

package kernel

import "unsafe"

// The choice of the form; false means that plain Go must do it. Lengths may be anything, 0 included.

func dropoutArch(dst, x []float32, m *dropoutMask) bool {
	switch {
	case isa >= AVX512:
		dropoutAVX512(unsafe.SliceData(dst), unsafe.SliceData(x), len(x), m)
	case isa == AVX2:
		dropoutAVX2(unsafe.SliceData(dst), unsafe.SliceData(x), len(x), m)
	default:
		return false
	}
	return true
}

// The assembly.

// dropoutRun
//
//go:noescape
func dropoutAVX2(dst, x *float32, n int, m *dropoutMask)

// dropoutRun
//
//go:noescape
func dropoutAVX512(dst, x *float32, n int, m *dropoutMask)
