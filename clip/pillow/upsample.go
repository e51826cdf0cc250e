package pillow

// upsampler widens the rows of a JPEG's chroma plane as libjpeg does (jdsample.c's "fancy" upsampling): along each
// halved side a sample weighs three times as much as the one behind it. Other ratios are repeated.
type upsampler struct {
	w      int // of the image
	cw, ch int // of the plane
	hx, vy int // how often a sample stands side by side and below itself
	sums   []int32
}

// row makes row y of the image of plane.
func (u *upsampler) row(dst, plane []byte, stride, y int) {
	near := y / u.vy
	src := plane[near*stride:][:u.cw]
	far := near
	if u.vy == 2 {
		far = min(max(near-1+y&1*2, 0), u.ch-1)
	}
	other := plane[far*stride:][:u.cw]
	switch {
	case u.hx == 1 && u.vy == 1:
		copy(dst, src)
	case u.hx == 1 && u.vy == 2:
		bias := int32(1 + y&1)
		for i, s := range src {
			dst[i] = byte((3*int32(s) + int32(other[i]) + bias) >> 2)
		}
	case u.hx == 2 && u.vy <= 2 && u.cw > 2:
		u.double(dst, src, other)
	default:
		for i := range dst[:u.w] {
			dst[i] = src[i/u.hx]
		}
	}
}

// double widens a row to twice its width; with two rows given, nearer and farther, their weighed sum.
func (u *upsampler) double(dst, near, far []byte) {
	sums := u.sums
	var shift uint
	var even, odd int32 // what is added before the shift
	if u.vy == 2 {
		shift, even, odd = 4, 8, 7
		for i, s := range near {
			sums[i] = 3*int32(s) + int32(far[i])
		}
	} else {
		shift, even, odd = 2, 1, 2
		for i, s := range near {
			sums[i] = int32(s)
		}
	}
	last := len(sums) - 1
	put := func(i int, v int32) {
		if i < u.w {
			dst[i] = byte(v >> shift)
		}
	}
	put(0, 4*sums[0]+even)
	put(1, 3*sums[0]+sums[1]+odd)
	for i := 1; i < last; i++ {
		s := 3 * sums[i]
		dst[2*i] = byte((s + sums[i-1] + even) >> shift)
		dst[2*i+1] = byte((s + sums[i+1] + odd) >> shift)
	}
	put(2*last, 3*sums[last]+sums[last-1]+even)
	put(2*last+1, 4*sums[last]+odd)
}
