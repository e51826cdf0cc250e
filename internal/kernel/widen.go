package kernel

// widenTiles is the fewest tiles of rows that meet a panel for which it is widened once for all of them, rather than by each.
const widenTiles = 3

// widenStreamTiles is the same for few rows, where int8 is widened a step of a stream at a time.
const widenStreamTiles = 4

// widenPairs is depth rows of a panel of pairs, [depth/2][32][2] and half a pair more if depth is odd, as float32,
// [depth][32]. The panel's halves lie side by side.
func widenPairs(dst []float32, src []uint16, depth int) {
	done := widenPairsArch(dst, src, depth/2)
	for k := 2 * done; k < depth; k++ {
		pair := src[k>>1*2*panelCols:][:2*panelCols]
		for j := range panelCols {
			dst[k*panelCols+j] = f32OfBF16(pair[2*j+k&1])
		}
	}
}

// widenBytes is src as float32.
func widenBytes(dst []float32, src []int8) {
	if widenBytesArch(dst, src) {
		return
	}
	for i, x := range src {
		dst[i] = float32(x)
	}
}
