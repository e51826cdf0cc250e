package pillow

import "github.com/clipcap-go/clipcap/clip/jpeg"

// upsampler widens the rows of a JPEG's plane to the width of the image as libjpeg does (jdsample.c's "fancy"
// upsampling): along each halved side a sample weighs three times as much as the one behind it. Other ratios are repeated.
type upsampler struct {
	*jpeg.Plane
	w    int // of the image
	sums []int16
	out  []byte
}

func newUpsampler(p *jpeg.Plane, w int) *upsampler {
	u := &upsampler{Plane: p, w: w}
	if p.X != 1 || p.Y != 1 {
		u.sums, u.out = make([]int16, p.Width), make([]byte, w)
	}
	return u
}

// row is row y of the image, until the next call.
func (u *upsampler) row(y int) []byte {
	near := y / u.Y
	src := u.Pix[near*u.Stride:][:u.Width]
	if u.X == 1 && u.Y == 1 {
		return src
	}
	far := near
	if u.Y == 2 {
		far = min(max(near-1+y&1*2, 0), u.Height-1)
	}
	other := u.Pix[far*u.Stride:][:u.Width]
	switch {
	case u.X == 1 && u.Y == 2:
		bias := int32(1 + y&1)
		for i, s := range src {
			u.out[i] = byte((3*int32(s) + int32(other[i]) + bias) >> 2)
		}
	case u.X == 2 && u.Y <= 2 && u.Width > 2:
		u.double(u.out, src, other)
	default:
		for i := range u.out {
			u.out[i] = src[i/u.X]
		}
	}
	return u.out
}

// double widens a row to twice its width; with two rows given, nearer and farther, their weighed sum.
func (u *upsampler) double(dst, near, far []byte) {
	sums := u.sums
	var even, odd, shift int // what is added before the shift
	if u.Y == 2 {
		shift, even, odd = 4, 8, 7
		if !sumsArch(sums, near, far) {
			for i, s := range near {
				sums[i] = 3*int16(s) + int16(far[i])
			}
		}
	} else {
		shift, even, odd = 2, 1, 2
		for i, s := range near {
			sums[i] = int16(s)
		}
	}
	last := len(sums) - 1
	put := func(i, v int) {
		if i < u.w {
			dst[i] = byte(v >> shift)
		}
	}
	sum := func(i int) int { return int(sums[i]) }
	put(0, 4*sum(0)+even)
	put(1, 3*sum(0)+sum(1)+odd)
	if !doubleArch(dst, sums, even, odd, shift) {
		for i := 1; i < last; i++ {
			s := 3 * sum(i)
			dst[2*i] = byte((s + sum(i-1) + even) >> shift)
			dst[2*i+1] = byte((s + sum(i+1) + odd) >> shift)
		}
	}
	put(2*last, 3*sum(last)+sum(last-1)+even)
	put(2*last+1, 4*sum(last)+odd)
}
