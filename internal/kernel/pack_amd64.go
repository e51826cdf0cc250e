//go:build amd64 && !noasm

package kernel

// A whole vector may be written where fewer elements belong, if the next row overwrites the rest: so the rows of
// dst are either as long as n, at least half a vector, or longer than any vector.

func packAlongArch(dst []float32, dstStep int, src []float32, srcStep, n, depth int) bool {
	switch {
	case isa >= AVX512:
		packAlongAVX512(&dst[0], dstStep, &src[0], srcStep, n, depth)
	case isa == AVX2 && (n == panelCols || n == dstStep && 4 <= n && n <= 8):
		packAlongAVX2(&dst[0], dstStep, &src[0], srcStep, n, depth)
	default:
		return false
	}
	return true
}

func packAcrossArch(dst []float32, dstStep int, src []float32, srcStep, n, depth int) bool {
	switch {
	case isa >= AVX512:
		for j := 0; j < n; j += 16 {
			packAcrossAVX512(&dst[j], dstStep, min(16, dstStep-j), &src[j*srcStep], srcStep, min(16, n-j), depth)
		}
	case isa == AVX2 && (dstStep >= 8 || n >= 4):
		for j := 0; j < n; j += 8 {
			packAcrossAVX2(&dst[j], dstStep, &src[j*srcStep], srcStep, min(8, n-j), depth)
		}
	default:
		return false
	}
	return true
}

func splitPairsArch(dst []uint16, lie pairs, src []float32, last bool) bool {
	if isa < AVX512 {
		return false
	}
	if len(src) > 0 {
		splitPairsAVX512(&dst[0], 2*lie.row, 2*lie.right, &src[0], len(src)/(2*panelCols), last)
	}
	return true
}

// splitPairs for pairs > 0 of rows; the steps are bytes.
//
//go:noescape
func splitPairsAVX512(dst *uint16, row, right int, src *float32, pairs int, last bool)

// packAlong for n up to 32 and depth > 0.
//
//go:noescape
func packAlongAVX512(dst *float32, dstStep int, src *float32, srcStep, n, depth int)

// packAcross for n from 1 to 16 and depth > 0; columns n to room, at most 16, are cleared.
//
//go:noescape
func packAcrossAVX512(dst *float32, dstStep, room int, src *float32, srcStep, n, depth int)

// packAlong for n = 32, or n = dstStep from 4 to 8, and depth > 0.
//
//go:noescape
func packAlongAVX2(dst *float32, dstStep int, src *float32, srcStep, n, depth int)

// packAcross for n from 1 to 8, from 4 if rows of dst are shorter than 8, and depth > 0; columns n to 7 are cleared if rows of dst have them.
//
//go:noescape
func packAcrossAVX2(dst *float32, dstStep int, src *float32, srcStep, n, depth int)
