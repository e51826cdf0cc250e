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

// streamRows is the most rows of a tile that reads b's rows whole, one after the other: those of more take half of each.
func streamRows() int {
	if isa == AVX2 {
		return 3
	}
	return tileRows()
}

func (t *tile) f32Arch(b []float32) bool {
	switch at := unsafe.Pointer(unsafe.SliceData(b)); {
	case t.k == 0:
		return false
	case isa >= AVX512:
		tileF32AVX512(t, at)
	case isa == AVX2:
		tileF32AVX2(t, at)
	default:
		return false
	}
	return true
}

// f32NarrowArch is f32 for cols columns and no more; it tells whether there is such a kernel.
func (t *tile) f32NarrowArch(b []float32, cols int) bool {
	if isa < AVX2 || cols > panelCols/2 || t.k == 0 {
		return false
	}
	t.cols = cols
	if isa == AVX2 { // which has no masks to speak of: all 16, in which case fewer than four rows would be 32
		if cols < panelCols/2 || t.rows < 4 {
			return false
		}
		tileF32AVX2(t, unsafe.Pointer(unsafe.SliceData(b)))
		return true
	}
	tileNarrowAVX512(t, unsafe.Pointer(unsafe.SliceData(b)))
	return true
}

func (t *tile) pairsArch(b []uint16) bool {
	switch at := unsafe.Pointer(unsafe.SliceData(b)); {
	case isa >= AVX512:
		tilePairsAVX512(t, at)
	case isa == AVX2:
		tilePairsAVX2(t, at)
	default:
		return false
	}
	return true
}

func (t *tile) int8Arch(b []int8) bool {
	switch at := unsafe.Pointer(unsafe.SliceData(b)); {
	case isa >= AVX512:
		tileInt8AVX512(t, at)
	case isa == AVX2:
		tileInt8AVX2(t, at)
	default:
		return false
	}
	return true
}

// besideRows is the most rows for which int8 weights are read two panels at a time: with more the registers do not hold
// their sums.
func besideRows() int {
	switch {
	case isa >= AVX512:
		return 6
	case isa == AVX2: // half the registers
		return 0
	}
	return tileRows()
}

func (t *tile) int8BesideArch(b []int8) bool {
	if isa < AVX512 {
		return false
	}
	tileInt8BesideAVX512(t, unsafe.Pointer(unsafe.SliceData(b[:t.beside+t.k*panelCols])))
	return true
}

// fetchRows fetches 128 bytes of each of rows rows, stride floats apart, into the second-level cache.
//
//go:noescape
func fetchRows(at *float32, stride, rows int)

// tile.f32, tile.pairs and tile.int8 for 1 to 14 (AVX-512) or 6 (AVX2) rows and k > 0. The multiply-adds of
// a sum are fused. A little of what lies at ahead is fetched at each depth.

//go:noescape
func tileF32AVX512(t *tile, b unsafe.Pointer)

//go:noescape
func tileNarrowAVX512(t *tile, b unsafe.Pointer)

//go:noescape
func tilePairsAVX512(t *tile, b unsafe.Pointer)

//go:noescape
func tileInt8AVX512(t *tile, b unsafe.Pointer)

// tile.int8Beside for 1 to besideRows rows, which is read no further ahead than the kernel fetches itself.
//
//go:noescape
func tileInt8BesideAVX512(t *tile, b unsafe.Pointer)

//go:noescape
func tileF32AVX2(t *tile, b unsafe.Pointer)

//go:noescape
func tilePairsAVX2(t *tile, b unsafe.Pointer)

//go:noescape
func tileInt8AVX2(t *tile, b unsafe.Pointer)
