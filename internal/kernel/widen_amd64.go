//go:build amd64 && !noasm

package kernel

// widenPairsArch widens whole pairs of rows, and tells how many.
func widenPairsArch(dst []float32, src []uint16, pairs int) int {
	if pairs == 0 {
		return 0
	}
	to, from := &dst[:2*pairs*panelCols][0], &src[:2*pairs*panelCols][0]
	switch {
	case isa >= AVX512:
		widenPairsAVX512(to, from, pairs)
	case isa == AVX2:
		widenPairsAVX2(to, from, pairs)
	default:
		return 0
	}
	return pairs
}

// widenBytesArch takes whole rows of a panel.
func widenBytesArch(dst []float32, src []int8) bool {
	rows := len(src) / panelCols
	if rows == 0 {
		return false
	}
	to, from := &dst[:rows*panelCols][0], &src[0]
	switch {
	case isa >= AVX512:
		widenBytesAVX512(to, from, rows)
	case isa == AVX2:
		widenBytesAVX2(to, from, rows)
	default:
		return false
	}
	return true
}

// widenPairs for pairs > 0 of rows.
//
//go:noescape
func widenPairsAVX512(dst *float32, src *uint16, pairs int)

//go:noescape
func widenPairsAVX2(dst *float32, src *uint16, pairs int)

// widenBytes for rows > 0 of 32.
//
//go:noescape
func widenBytesAVX512(dst *float32, src *int8, rows int)

//go:noescape
func widenBytesAVX2(dst *float32, src *int8, rows int)
