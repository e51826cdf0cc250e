//go:build amd64 && !noasm

package kernel

import "unsafe"

// The choice of the form; false means that plain Go must do it. Lengths may be anything, 0 included.

func adamArch(p, m, v, g []float32, c *[8]float32) bool {
	switch {
	case isa >= AVX512:
		adamAVX512(unsafe.SliceData(p), unsafe.SliceData(m), unsafe.SliceData(v), unsafe.SliceData(g), len(p), c)
	case isa == AVX2:
		adamAVX2(unsafe.SliceData(p), unsafe.SliceData(m), unsafe.SliceData(v), unsafe.SliceData(g), len(p), c)
	default:
		return false
	}
	return true
}

// The assembly.

// adamRow
//
//go:noescape
func adamAVX2(p, m, v, grad *float32, n int, c *[8]float32)

// adamRow
//
//go:noescape
func adamAVX512(p, m, v, grad *float32, n int, c *[8]float32)
