//go:build amd64 && !noasm

package kernel

import "unsafe"

// dotRowsArch tells whether a few rows are multiplied by VDPBF16PS.
func dotRowsArch() bool { return dotBF16 && isa == AVX512 }

// pairRow rounds a row to bfloat16, two to a word, zeros beyond it.
func pairRow(words, row []float32) {
	whole, rest := len(row)/groupDepth, len(row)%groupDepth
	dst := asU16(words)
	if whole > 0 {
		splitRow(&dst[0], 2*groupDepth, &row[0], whole, 1, 0)
	}
	if rest > 0 {
		var tail [groupDepth]float32
		copy(tail[:], row[whole*groupDepth:])
		splitRow(&dst[whole*groupDepth], 0, &tail[0], 1, 1, 0)
	}
}

// dotArch takes b as [k][32][2] bfloat16 and a's elements as pairs of bfloat16. In the order of k, the product of a
// pair's second elements and then that of the first is added to a sum, subnormals taken as zero.
func (t *tile) dotArch(b []uint16) { tileDotAVX512(t, unsafe.Pointer(unsafe.SliceData(b))) }

//go:noescape
func tileDotAVX512(t *tile, b unsafe.Pointer)
