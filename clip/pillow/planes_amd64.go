//go:build !noasm

package pillow

// Each of these takes n ≥ 16 elements; the last sixteen may overlap those before.

// coloursAVX2 is colourRow for three bands.
//
//go:noescape
func coloursAVX2(dst, luma, cb, cr *byte, n int)

// sumsAVX2 is three times near and once far.
//
//go:noescape
func sumsAVX2(sums *int16, near, far *byte, n int)

// doubleAVX2 widens n sums; those before the first and behind the last are read too.
//
//go:noescape
func doubleAVX2(dst *byte, sums *int16, n int, even, odd, shift int)

func coloursArch(dst, luma, cb, cr []byte) bool {
	if !avx2 || len(luma) < 16 {
		return false
	}
	_, _, _ = dst[3*len(luma)-1], cb[len(luma)-1], cr[len(luma)-1]
	coloursAVX2(&dst[0], &luma[0], &cb[0], &cr[0], len(luma))
	return true
}

func sumsArch(sums []int16, near, far []byte) bool {
	if !avx2 || len(near) < 16 {
		return false
	}
	_, _ = sums[len(near)-1], far[len(near)-1]
	sumsAVX2(&sums[0], &near[0], &far[0], len(near))
	return true
}

// doubleArch does what lies between the first and the last sum.
func doubleArch(dst []byte, sums []int16, even, odd, shift int) bool {
	n := len(sums) - 2
	if !avx2 || n < 16 {
		return false
	}
	_ = dst[2*n+1]
	doubleAVX2(&dst[2], &sums[1], n, even, odd, shift)
	return true
}
