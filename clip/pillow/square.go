package pillow

import (
	"fmt"
	"math"
)

// maxSide bounds the long side of the resized image, so that an image a few pixels wide cannot become endless.
const maxSide = 1 << 24

// frame says how an image becomes a square of n: resized to w×h, of which the n×n from (x, y) on are kept.
type frame struct{ n, w, h, x, y int }

// frame follows torchvision's Resize and CenterCrop: the short side becomes n, the long one is truncated; the crop's
// offset is rounded, halves to even.
func (m *Image) frame(n int) (frame, error) {
	f := frame{n: n, w: n, h: n}
	if m.Width <= m.Height {
		f.h = n * m.Height / m.Width
	} else {
		f.w = n * m.Width / m.Height
	}
	if f.w > maxSide || f.h > maxSide {
		return f, fmt.Errorf("image of %d×%d pixels is too narrow: it would become %d×%d", m.Width, m.Height, f.w, f.h)
	}
	f.x = int(math.RoundToEven(float64(f.w-n) / 2))
	f.y = int(math.RoundToEven(float64(f.h-n) / 2))
	return f, nil
}

// Square resizes the image so that its short side has n pixels, with Pillow's bicubic filter, cuts the n×n pixels in
// the middle and returns them as RGB, three bytes a pixel. Only what the square needs is computed.
func (m *Image) Square(n int) ([]byte, error) {
	if n < 1 || n > 1<<14 {
		return nil, fmt.Errorf("square of %d pixels, want 1 to %d", n, 1<<14)
	}
	f, err := m.frame(n)
	if err != nil {
		return nil, err
	}
	switch m.mode {
	case indexed:
		return m.nearest(f), nil
	case gray16:
		return m.squareWide(f), nil
	}
	resized := f.w != m.Width || f.h != m.Height
	bands := m.mode.bands()
	pix := m.pix
	if m.mode == rgba && resized {
		pix = premultiplied(pix)
	}
	pix = resample(pix, m.Width, m.Height, bands, f)
	switch m.mode {
	case gray:
		return grayToRGB(pix), nil
	case rgba:
		return dropAlpha(pix, resized), nil
	case cmyk:
		return inkToRGB(pix), nil
	}
	return pix, nil
}

// resample is the square f of w×h pixels. Pillow goes along the rows first and rounds to bytes in between; a side
// that keeps its length is only cut.
func resample(pix []byte, w, h, bands int, f frame) []byte {
	n := f.n
	lo, hi := f.y, f.y+n
	var down *taps
	if f.h != h {
		down = newTaps(h, f.h, f.y, n)
		lo, hi = down.span()
	}
	rows := make([]byte, (hi-lo)*n*bands, (hi-lo+1)*n*bands) // the assembly may read a row more
	if f.w != w {
		newTaps(w, f.w, f.x, n).horizontal(rows, pix, w, bands, lo, hi)
	} else {
		for y := lo; y < hi; y++ {
			copy(rows[(y-lo)*n*bands:][:n*bands], pix[(y*w+f.x)*bands:])
		}
	}
	if down == nil {
		return rows
	}
	out := make([]byte, n*n*bands)
	down.vertical(out, rows, n*bands, lo)
	return out
}

// nearest is the square f by Pillow's NEAREST, which is all it does to indices.
func (m *Image) nearest(f frame) []byte {
	xs, ys := nearestOf(m.Width, f.w, f.x, f.n), nearestOf(m.Height, f.h, f.y, f.n)
	out := make([]byte, 0, 3*f.n*f.n)
	for _, y := range ys {
		for _, x := range xs {
			c := m.colors[m.pix[y*m.Width+x]]
			out = append(out, c[:]...)
		}
	}
	return out
}

// nearestOf lists the inputs of outputs [from, from+n). Pillow sums the step up, rounding as it goes.
func nearestOf(in, out, from, n int) []int {
	index := make([]int, n)
	scale := float64(in) / float64(out)
	v := float64(scale * 0.5)
	for i := range from + n {
		if i >= from {
			index[i-from] = min(int(v), in-1)
		}
		v += scale
	}
	return index
}

// squareWide is the square f of 16-bit gray. Pillow resizes it with exact weights, rounds to whole numbers after each
// pass and, a quirk that we keep for parity, clips the result to 255: such images come out almost white.
func (m *Image) squareWide(f frame) []byte {
	n := f.n
	pass := func(out, in, full, from int, at func(i int) float64) []int32 {
		d := make([]int32, out)
		var k []float64
		for i := range d {
			if in == full {
				d[i] = int32(at(from + i))
				continue
			}
			lo, w := weigh(k, from+i, in, full)
			k = w
			s := 0.0
			for j, w := range w {
				s += float64(at(lo+j) * w)
			}
			d[i] = int32(math.Round(s))
		}
		return d
	}
	rows := make([][]int32, m.Height) // made when needed
	row := func(y int) []int32 {
		if rows[y] == nil {
			rows[y] = pass(n, m.Width, f.w, f.x, func(x int) float64 { return float64(m.wide[y*m.Width+x]) })
		}
		return rows[y]
	}
	out := make([]byte, n*n)
	for x := range n {
		for y, v := range pass(n, m.Height, f.h, f.y, func(y int) float64 { return float64(row(y)[x]) }) {
			out[y*n+x] = clip8(v)
		}
	}
	return grayToRGB(out)
}
