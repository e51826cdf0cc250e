package pillow

import (
	"image"
	"image/color"

	"github.com/clipcap-go/clipcap/clip/jpeg"
)

// mode is how an image's pixels are held, with Pillow's name in the comment.
type mode uint8

const (
	gray    mode = iota // L
	rgb                 // RGB
	rgba                // RGBA or LA: not premultiplied
	cmyk                // CMYK: 255 is full ink
	indexed             // P or 1: an index into colors
	gray16              // I: whole numbers, in wide
)

// bands is the number of bytes of a pixel.
func (m mode) bands() int {
	return [...]int{gray: 1, rgb: 3, rgba: 4, cmyk: 4, indexed: 1, gray16: 0}[m]
}

// Image is a decoded image.
type Image struct {
	Width, Height int

	mode   mode
	pix    []byte       // bands interleaved, rows without gaps
	wide   []uint16     // gray16: the pixels
	colors [256][3]byte // indexed: what the indices mean
	planes *jpeg.Image  // of a colour JPEG, in place of pix: a third to half of its memory
}

// Bytes is the memory the pixels take.
func (m *Image) Bytes() int {
	n := cap(m.pix) + 2*len(m.wide)
	if m.planes != nil {
		for i := range m.planes.Planes {
			n += len(m.planes.Planes[i].Pix)
		}
	}
	return n
}

// converted is m with its pixels.
func (m *Image) converted() *Image {
	if m.planes == nil {
		return m
	}
	return fromPlanes(m.planes)
}

// slack is how many bytes behind the pixels the assembly may read.
const slack = 32

func newImage(m mode, w, h int) *Image {
	im := &Image{Width: w, Height: h, mode: m}
	if m == gray16 {
		im.wide = make([]uint16, w*h)
	} else {
		im.pix = make([]byte, w*h*m.bands(), w*h*m.bands()+slack)
	}
	return im
}

// FromImage takes over an image that is already in memory. The standard library's kinds are treated as if read from a
// file of that kind; YCbCr is a JPEG's.
func FromImage(m image.Image) *Image {
	b := m.Bounds()
	switch m := m.(type) {
	case *image.YCbCr:
		if im := fromYCbCr(m); im != nil {
			return im
		}
	case *image.Paletted:
		return fromPaletted(m, b)
	case *image.Gray:
		return take(m, gray)
	case *image.Gray16:
		return takeWide(m)
	case *image.CMYK:
		return take(m, cmyk)
	case *image.NRGBA, *image.NRGBA64:
		return take(m, rgba)
	case *image.RGBA:
		if m.Opaque() {
			return take(m, rgb)
		}
	}
	im := newImage(rgba, b.Dx(), b.Dy())
	for y, i := b.Min.Y, 0; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x, i = x+1, i+4 {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			im.pix[i], im.pix[i+1], im.pix[i+2], im.pix[i+3] = c.R, c.G, c.B, c.A
		}
	}
	return im
}

// take copies the leading bands of every pixel; of 16-bit bands the high byte.
func take(m image.Image, to mode) *Image {
	im := newImage(to, m.Bounds().Dx(), m.Bounds().Dy())
	bandsOf(m).copy(im.pix, im.Width, im.Height, to.bands())
	return im
}

// keep is take within the memory of m, the image of a decoder, which nobody else has. Large images are in memory once.
func keep(m image.Image, to mode) *Image {
	im := &Image{Width: m.Bounds().Dx(), Height: m.Bounds().Dy(), mode: to}
	from := bandsOf(m)
	from.copy(from.pix, im.Width, im.Height, to.bands())
	im.pix = from.pix[:im.Width*im.Height*to.bands()]
	return im
}

// bands are the pixels of one of the standard library's images.
type bands struct {
	pix        []byte
	stride     int
	size, step int // bytes of a pixel, and from band to band
}

func bandsOf(m image.Image) bands {
	switch m := m.(type) {
	case *image.Gray:
		return bands{m.Pix, m.Stride, 1, 1}
	case *image.RGBA:
		return bands{m.Pix, m.Stride, 4, 1}
	case *image.NRGBA:
		return bands{m.Pix, m.Stride, 4, 1}
	case *image.CMYK:
		return bands{m.Pix, m.Stride, 4, 1}
	case *image.RGBA64:
		return bands{m.Pix, m.Stride, 8, 2}
	case *image.NRGBA64:
		return bands{m.Pix, m.Stride, 8, 2}
	}
	return bands{}
}

// copy copies the first n bands of the pixels to dst, without gaps. That may be b's own memory, since no band moves backwards.
func (b bands) copy(dst []byte, w, h, n int) {
	for y := range h {
		row, src := dst[y*w*n:][:w*n], b.pix[y*b.stride:]
		if n == b.size {
			copy(row, src)
			continue
		}
		for i, s := 0, 0; i < len(row); i, s = i+n, s+b.size {
			for c := range n {
				row[i+c] = src[s+c*b.step]
			}
		}
	}
}

// takeWide copies gray of 16 bits.
func takeWide(m *image.Gray16) *Image {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	im := newImage(gray16, w, h)
	for y := range h {
		for x := range w {
			i := y*m.Stride + 2*x
			im.wide[y*w+x] = uint16(m.Pix[i])<<8 | uint16(m.Pix[i+1])
		}
	}
	return im
}

// fromPaletted copies the indices of m onto an image with the bounds of screen; index 0 where m does not reach.
func fromPaletted(m *image.Paletted, screen image.Rectangle) *Image {
	w, h := screen.Dx(), screen.Dy()
	im := newImage(indexed, w, h)
	b := m.Rect.Intersect(screen)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		copy(im.pix[(y-screen.Min.Y)*w+b.Min.X-screen.Min.X:][:b.Dx()], m.Pix[m.PixOffset(b.Min.X, y):])
	}
	for i, c := range m.Palette[:min(len(m.Palette), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		im.colors[i] = [3]byte{n.R, n.G, n.B}
	}
	return im
}

// ramp tells whether the first n colours are those of gray itself, in which case Pillow takes the image for gray.
func (m *Image) ramp(n int) bool {
	for i, c := range m.colors[:n] {
		if c != [3]byte{byte(i), byte(i), byte(i)} {
			return false
		}
	}
	return true
}
