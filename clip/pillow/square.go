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
	if m.Width < 1 || m.Height < 1 {
		return f, fmt.Errorf("image of %d×%d pixels, want one at least", m.Width, m.Height)
	}
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
// the middle and returns them as RGB, three bytes a pixel. Only what the square needs is computed; of an image that is its own
// square it is the image's memory.
func (m *Image) Square(n int) ([]byte, error) { return m.square(n, new(Scratch)) }

// square is Square; what it needs on the way lies in s.
func (m *Image) square(n int, s *Scratch) ([]byte, error) {
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
	if m.mode == rgb && m.pix != nil && m.Width == n && m.Height == n {
		return m.pix, nil
	}
	if m.planes != nil {
		p := newPlaneRows(m.planes)
		return resample(strips{w: m.Width, bands: bands, convert: p.read, scratch: s}, m.Height, f), nil
	}
	rows := strips{w: m.Width, bands: bands, pix: m.pix, scratch: s}
	if m.mode == rgba && resized {
		rows.convert = func(dst []byte, y int) { premultiply(dst, m.pix[y*len(dst):]) }
	}
	pix := resample(rows, m.Height, f)
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

// Squared is m as Square sees it: an image of n×n pixels, in 3·n² bytes, whose Square(n) is the same. It does not hold on to m.
func (m *Image) Squared(n int) (*Image, error) { return m.squared(n, new(Scratch)) }

func (m *Image) squared(n int, s *Scratch) (*Image, error) {
	pix, err := m.square(n, s)
	if err != nil {
		return nil, err
	}
	return &Image{Width: n, Height: n, mode: rgb, pix: pix}, nil
}

// strips are the rows of an image: in memory, or converted some at a time, so that they are still in the cache when they are
// resampled and never all there.
type strips struct {
	w, bands int
	pix      []byte
	convert  func(dst []byte, y int) // in place of pix
	scratch  *Scratch
}

// stripRows is how many rows are converted at a time. It is even, since rows are resampled in pairs.
const stripRows = 8

// each calls f with the rows [lo, hi) in pieces: rows from to to of the image, the first of which is row at of pix. Behind
// the pixels of a piece more bytes may be read.
func (s *strips) each(lo, hi, more int, f func(pix []byte, from, to, at int)) {
	if s.convert == nil {
		f(s.pix, lo, hi, lo)
		return
	}
	width := s.w * s.bands
	buffer := room(&s.scratch.strip, stripRows*width, more)
	for y := lo; y < hi; y += stripRows {
		n := min(stripRows, hi-y)
		for i := range n {
			s.convert(buffer[i*width:][:width], y+i)
		}
		f(buffer[:n*width], y, y+n, 0)
	}
}

// resample is the square f of an image h rows high. Pillow goes along the rows first and rounds to bytes in between; a side
// that keeps its length is only cut.
func resample(s strips, h int, f frame) []byte {
	n, w, bands := f.n, s.w, s.bands
	lo, hi := f.y, f.y+n
	var down *taps
	if f.h != h {
		down = newTaps(h, f.h, f.y, n)
		lo, hi = down.span()
	}
	size := (hi - lo) * n * bands
	var rows []byte
	if down == nil {
		rows = make([]byte, size)
	} else {
		rows = room(&s.scratch.rows, size, n*bands) // the assembly may read a row more
	}
	if f.w != w {
		across := newTaps(w, f.w, f.x, n).across()
		s.each(lo, hi, across.beyond(bands), func(pix []byte, from, to, at int) {
			across.rows(rows[(from-lo)*n*bands:], pix, w, bands, at, at+to-from)
		})
	} else {
		s.each(lo, hi, 0, func(pix []byte, from, to, at int) {
			for y := from; y < to; y++ {
				copy(rows[(y-lo)*n*bands:][:n*bands], pix[((y-from+at)*w+f.x)*bands:])
			}
		})
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
