//go:build amd64 && !noasm

package kernel

import "unsafe"

// tileRows is the most rows of a tile: what the registers hold.
func tileRows() int {
	switch {
	case isa >= AVX512:
		return 14
	case isa == AVX2:
		return 6
	}
	return 4
}

// The register kernels compute a tile with as many rows as tileRows says, or fewer.

//go:noescape
func tileF32AVX512(t *tile, b unsafe.Pointer)

//go:noescape
func tilePairsAVX512(t *tile, b unsafe.Pointer)

//go:noescape
func tileInt8AVX512(t *tile, b unsafe.Pointer)

//go:noescape
func tileF32AVX2(t *tile, b unsafe.Pointer)

//go:noescape
func tilePairsAVX2(t *tile, b unsafe.Pointer)

//go:noescape
func tileInt8AVX2(t *tile, b unsafe.Pointer)

func (t *tile) f32Arch(b []float32) bool {
	switch {
	case t.k == 0:
		return false
	case isa >= AVX512:
		tileF32AVX512(t, unsafe.Pointer(unsafe.SliceData(b)))
	case isa == AVX2:
		tileF32AVX2(t, unsafe.Pointer(unsafe.SliceData(b)))
	default:
		return false
	}
	return true
}

func (t *tile) pairsArch(b []uint16) bool {
	switch {
	case t.k == 0:
		return false
	case isa >= AVX512:
		tilePairsAVX512(t, unsafe.Pointer(unsafe.SliceData(b)))
	case isa == AVX2:
		tilePairsAVX2(t, unsafe.Pointer(unsafe.SliceData(b)))
	default:
		return false
	}
	return true
}

func (t *tile) int8Arch(b []int8) bool {
	switch {
	case t.k == 0:
		return false
	case isa >= AVX512:
		tileInt8AVX512(t, unsafe.Pointer(unsafe.SliceData(b)))
	case isa == AVX2:
		tileInt8AVX2(t, unsafe.Pointer(unsafe.SliceData(b)))
	default:
		return false
	}
	return true
}

func packPanelArch([]float32, *Matrix, int, int, int, int) bool { return false }

func packLeftArch([]float32, *Matrix, int, int, int, int) bool { return false }

func splitPairsArch([]uint16, []float32, bool) bool { return false }

func takePlaneArch([]float32, int) bool { return false }

func widenPairsArch([]float32, []uint16) bool { return false }

func widenInt8Arch([]float32, []int8) bool { return false }

// addRowsArch is dst = a + b as far as it returns.
func addRowsArch(dst, a, b []float32) int {
	if !addArch(dst, a[:len(dst)], b[:len(dst)]) {
		return 0
	}
	return len(dst)
}
