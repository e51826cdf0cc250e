//go:build amd64 && !noasm

package kernel

import "unsafe"

// tallRows is the most rows of a tall tile, which has 16 columns, or 0 if there are none; the least is half of it. Where more
// rows meet narrow weights than a tile of 32 columns has, these are widened half as often.
func tallRows() int {
	if isa >= AVX512 {
		return 28
	}
	return 0
}

// widensRows tells whether int8 that widenStreamTiles tiles of few rows or more pass over is widened for all, into the nearest cache: where tiles cannot be
// tall it costs too much to do so in each.
func widensRows() bool { return isa == AVX2 }

// tallPairs is pairs for 16 columns, the first of b's 32, and tallRows()/2 to tallRows() rows, which lie side by side.
func (t *tile) tallPairs(b []uint16) { tallPairsAVX512(t, unsafe.Pointer(unsafe.SliceData(b))) }

// tallInt8 is int8 likewise.
func (t *tile) tallInt8(b []int8) { tallInt8AVX512(t, unsafe.Pointer(unsafe.SliceData(b))) }

//go:noescape
func tallPairsAVX512(t *tile, b unsafe.Pointer)

//go:noescape
func tallInt8AVX512(t *tile, b unsafe.Pointer)
