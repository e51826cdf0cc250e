//go:build amd64 && !noasm

package kernel

import "unsafe"

// attnBlockRows is how many rows a register kernel does at once.
func attnBlockRows() int {
	if isa == AVX2 {
		return 6
	}
	return 14
}

func (p *attnProduct) blockArch() bool {
	c, a, b := unsafe.SliceData(p.c), unsafe.SliceData(p.a), unsafe.SliceData(p.b)
	more := 0
	if p.more {
		more = 1
	}
	switch {
	case isa >= AVX512:
		attnProductAVX512(c, p.ldc, a, p.rowStep, p.depthStep, b, p.ldb, p.panelStep, p.rows, p.depth, p.halves, more)
	case isa == AVX2:
		attnProductAVX2(c, p.ldc, a, p.rowStep, p.depthStep, b, p.ldb, p.panelStep, p.rows, p.depth, p.halves, more)
	default:
		return false
	}
	return true
}

// attnTransposeRows is how many rows attnTransposeArch takes at once, or 0 if there is none.
func attnTransposeRows() int {
	switch {
	case isa >= AVX512:
		return 16
	case isa == AVX2:
		return 8
	}
	return 0
}

// attnTransposeArch writes the columns of a block of attnTransposeRows rows, of which it keeps the first
// rows, panelCols apart in dst. hd is a multiple of 4.
func attnTransposeArch(dst, src []float32, ld, hd, rows int) {
	_, _ = dst[(hd-1)*panelCols+rows-1], src[(attnTransposeRows()-1)*ld+hd-1]
	if isa == AVX2 {
		attnTransposeAVX2(unsafe.SliceData(dst), unsafe.SliceData(src), ld, hd/4, rows)
	} else {
		attnTransposeAVX512(unsafe.SliceData(dst), unsafe.SliceData(src), ld, hd/4, rows)
	}
}

func attnCopyRowsArch(dst []float32, ldd int, src []float32, lds, m, hd int, factor []float32) bool {
	switch {
	case isa >= AVX512:
		attnCopyRowsAVX512(unsafe.SliceData(dst), ldd, unsafe.SliceData(src), lds, m, hd, unsafe.SliceData(factor))
	case isa == AVX2:
		attnCopyRowsAVX2(unsafe.SliceData(dst), ldd, unsafe.SliceData(src), lds, m, hd, unsafe.SliceData(factor))
	default:
		return false
	}
	return true
}

func attnExpArch(s []float32, ld int, m int, see attnRow, top, sum []float32) bool {
	switch {
	case isa >= AVX512:
		attnExpAVX512(unsafe.SliceData(s), ld, unsafe.SliceData(top), unsafe.SliceData(sum), m, see.n, see.slope, see.width)
	case isa == AVX2:
		attnExpAVX2(unsafe.SliceData(s), ld, unsafe.SliceData(top), unsafe.SliceData(sum), m, see.n, see.slope, see.width)
	default:
		return false
	}
	return true
}

func attnScoreGradArch(s, d []float32, ld int, m int, see attnRow, lse, dot []float32) bool {
	switch {
	case isa >= AVX512:
		attnScoreGradAVX512(unsafe.SliceData(s), unsafe.SliceData(d), ld, unsafe.SliceData(lse), unsafe.SliceData(dot), m, see.n, see.slope, see.width)
	case isa == AVX2:
		attnScoreGradAVX2(unsafe.SliceData(s), unsafe.SliceData(d), ld, unsafe.SliceData(lse), unsafe.SliceData(dot), m, see.n, see.slope, see.width)
	default:
		return false
	}
	return true
}

func attnCenterArch(s, d []float32, ld int, m int, see attnRow) bool {
	switch {
	case isa >= AVX512:
		attnCenterAVX512(unsafe.SliceData(s), unsafe.SliceData(d), ld, m, see.n, see.slope, see.width)
	case isa == AVX2:
		attnCenterAVX2(unsafe.SliceData(s), unsafe.SliceData(d), ld, m, see.n, see.slope, see.width)
	default:
		return false
	}
	return true
}

func attnDotsArch(dot, a []float32, lda int, b []float32, ldb, m, hd int) bool {
	switch {
	case isa >= AVX512:
		attnDotsAVX512(unsafe.SliceData(dot), unsafe.SliceData(a), lda, unsafe.SliceData(b), ldb, m, hd)
	case isa == AVX2:
		attnDotsAVX2(unsafe.SliceData(dot), unsafe.SliceData(a), lda, unsafe.SliceData(b), ldb, m, hd)
	default:
		return false
	}
	return true
}

// The assembly.

// attnProduct.block
//
//go:noescape
func attnProductAVX2(c *float32, ldc int, a *float32, rowStep, depthStep int, b *float32, ldb, panelStep int, rows, depth, halves, more int)

// attnProduct.block
//
//go:noescape
func attnProductAVX512(c *float32, ldc int, a *float32, rowStep, depthStep int, b *float32, ldb, panelStep int, rows, depth, halves, more int)

// for c in 0..4·quads, r in 0..rows: dst[c·32+r] = src[r·ld+c]
//
//go:noescape
func attnTransposeAVX2(dst, src *float32, ld, quads, rows int)

// for c in 0..4·quads, r in 0..rows: dst[c·32+r] = src[r·ld+c]
//
//go:noescape
func attnTransposeAVX512(dst, src *float32, ld, quads, rows int)

// for r in 0..m, i in 0..n: dst[r·ldd+i] = src[r·lds+i]·factor[r], or without factor if it is nil
//
//go:noescape
func attnCopyRowsAVX2(dst *float32, ldd int, src *float32, lds, m, n int, factor *float32)

// for r in 0..m, i in 0..n: dst[r·ldd+i] = src[r·lds+i]·factor[r], or without factor if it is nil
//
//go:noescape
func attnCopyRowsAVX512(dst *float32, ldd int, src *float32, lds, m, n int, factor *float32)

// attnExp; rows are written up to a whole vector
//
//go:noescape
func attnExpAVX2(s *float32, ld int, max, sum *float32, m, n, slope, width int)

// attnExp; rows are written up to a whole vector
//
//go:noescape
func attnExpAVX512(s *float32, ld int, max, sum *float32, m, n, slope, width int)

// attnScoreGrad; rows are written up to a whole vector
//
//go:noescape
func attnScoreGradAVX2(s, d *float32, ld int, lse, dot *float32, m, n, slope, width int)

// attnScoreGrad; rows are written up to a whole vector
//
//go:noescape
func attnScoreGradAVX512(s, d *float32, ld int, lse, dot *float32, m, n, slope, width int)

// attnCenter
//
//go:noescape
func attnCenterAVX2(s, d *float32, ld, m, n, slope, width int)

// attnCenter
//
//go:noescape
func attnCenterAVX512(s, d *float32, ld, m, n, slope, width int)

// attnDots
//
//go:noescape
func attnDotsAVX2(dot, a *float32, lda int, b *float32, ldb, m, n int)

// attnDots
//
//go:noescape
func attnDotsAVX512(dot, a *float32, lda int, b *float32, ldb, m, n int)
