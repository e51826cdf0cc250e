//go:build amd64 && !noasm

package kernel

// turnPairsArch takes the pairs of a column for a word and transposes the words, half the columns at a time; then row j holds column
// j of src, and two such rows are put together number by number.
func turnPairsArch(dst []uint16, to pairs, src []uint16, from pairs, words []uint16) bool {
	if isa < AVX512 {
		return false
	}
	for half := range 2 {
		transposeWords(&words[half*16*32], 64, 0, &src[half*from.right], 2*from.row, 1, 16)
	}
	alternate(&dst[0], 2*to.row, 2*to.right, &words[0], panelCols/2)
	return true
}

// fetch brings v into the cache.
func fetch(v []float32) {
	if len(v) > 0 {
		fetchLines(&v[0], len(v)/16)
	}
}

//go:noescape
func fetchLines(v *float32, lines int)

// alternate is dst[i][j] = (src[2i][j], src[2i+1][j]) for rows of 32 numbers. In dst rows lie row bytes apart, their
// halves right bytes.
//
//go:noescape
func alternate(dst *uint16, row, right int, src *uint16, pairs int)
