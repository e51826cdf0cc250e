package pillow

import (
	"image"

	"github.com/clipcap-go/clipcap/clip/jpeg"
)

// decodeJPEG reads a JPEG of any colours.
func decodeJPEG(data []byte, s *Scratch) (*Image, error) {
	m, err := s.jpeg.Decode(data)
	if err != nil {
		return nil, err
	}
	if m.Colors == jpeg.YCbCr {
		return &Image{Width: m.Width, Height: m.Height, mode: rgb, planes: m}, nil
	}
	return fromPlanes(m), nil
}

// fromYCbCr copies an image of the standard library; nil where the samples of chroma do not begin with the pixels, as in one cut out
// of another at an odd place.
func fromYCbCr(m *image.YCbCr) *Image {
	ratio := chromaRatio[m.SubsampleRatio]
	if x, y := ratio[0], ratio[1]; x == 0 || m.Rect.Min.X < 0 || m.Rect.Min.Y < 0 || m.Rect.Min.X%x != 0 || m.Rect.Min.Y%y != 0 {
		return nil
	}
	return fromPlanes(planesOf(m))
}

// chromaRatio is how many pixels of a row, and of a column, a sample of chroma is for.
var chromaRatio = map[image.YCbCrSubsampleRatio][2]int{image.YCbCrSubsampleRatio444: {1, 1}, image.YCbCrSubsampleRatio422: {2, 1},
	image.YCbCrSubsampleRatio420: {2, 2}, image.YCbCrSubsampleRatio440: {1, 2}, image.YCbCrSubsampleRatio411: {4, 1},
	image.YCbCrSubsampleRatio410: {4, 2}}

// planesOf are the image's own planes.
func planesOf(m *image.YCbCr) *jpeg.Image {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	ratio := chromaRatio[m.SubsampleRatio]
	chroma := func(pix []byte) jpeg.Plane {
		x, y := ratio[0], ratio[1]
		return jpeg.Plane{Pix: pix, Stride: m.CStride, Width: (w + x - 1) / x, Height: (h + y - 1) / y, X: x, Y: y}
	}
	return &jpeg.Image{Width: w, Height: h, Colors: jpeg.YCbCr, Planes: []jpeg.Plane{
		{Pix: m.Y, Stride: m.YStride, Width: w, Height: h, X: 1, Y: 1}, chroma(m.Cb), chroma(m.Cr)}}
}

// fromPlanes makes the pixels of a JPEG's planes as libjpeg does. Pillow takes four components for Adobe's CMYK, which
// is stored inverted.
func fromPlanes(m *jpeg.Image) *Image {
	w, h := m.Width, m.Height
	to := [...]mode{jpeg.Gray: gray, jpeg.YCbCr: rgb, jpeg.RGB: rgb, jpeg.CMYK: cmyk, jpeg.YCCK: cmyk}[m.Colors]
	im := newImage(to, w, h)
	bands := to.bands()
	if w == 0 || h == 0 {
		return im
	}
	rows := newPlaneRows(m)
	for y := range h {
		rows.read(im.pix[y*w*bands:][:w*bands], y)
	}
	return im
}

// planeRows makes the pixels of a JPEG's planes row by row.
type planeRows struct {
	*jpeg.Image
	ups  []*upsampler
	rows [4][]byte
}

func newPlaneRows(m *jpeg.Image) *planeRows {
	p := &planeRows{Image: m, ups: make([]*upsampler, len(m.Planes))}
	for i := range m.Planes {
		p.ups[i] = newUpsampler(&m.Planes[i], m.Width)
	}
	return p
}

// read writes the pixels of row y to dst.
func (p *planeRows) read(dst []byte, y int) {
	rows := &p.rows
	for i, u := range p.ups {
		rows[i] = u.row(y)
	}
	switch p.Colors {
	case jpeg.Gray:
		copy(dst, rows[0])
	case jpeg.YCbCr:
		colourRow(dst, 3, rows[0], rows[1], rows[2])
	case jpeg.YCCK: // the inverse of the inverse of RGB
		colourRow(dst, 4, rows[0], rows[1], rows[2])
		interleave(dst, 4, 3, rows[3], 255)
	case jpeg.RGB, jpeg.CMYK:
		invert := byte(0)
		if p.Colors == jpeg.CMYK {
			invert = 255
		}
		for i := range len(p.ups) {
			interleave(dst, len(p.ups), i, rows[i], invert)
		}
	}
}

// interleave writes a band of pixels, inverted where invert is 255.
func interleave(dst []byte, bands, band int, row []byte, invert byte) {
	for i, v := range row {
		dst[i*bands+band] = v ^ invert
	}
}

// The colour conversion of JFIF in 16-bit fixed point, as libjpeg tabulates it: what the chroma samples add to luma.
var redOf, blueOf, greenOfCb, greenOfCr [256]int32

func init() {
	for i := range 256 {
		c := int32(i - 128)
		redOf[i] = (91881*c + 1<<15) >> 16
		blueOf[i] = (116130*c + 1<<15) >> 16
		greenOfCb[i] = -22554*c + 1<<15
		greenOfCr[i] = -46802 * c
	}
}

// colourRow converts a row to the first three bands of pixels.
func colourRow(dst []byte, bands int, luma, cb, cr []byte) {
	if bands == 3 && coloursArch(dst, luma, cb, cr) {
		return
	}
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for i, l := range luma {
		y, u, v := int32(l), cb[i], cr[i]
		d := dst[bands*i : bands*i+3 : bands*i+3]
		d[0] = clip8(y + redOf[v])
		d[1] = clip8(y + (greenOfCb[u]+greenOfCr[v])>>16)
		d[2] = clip8(y + blueOf[u])
	}
}

func clip8(v int32) byte {
	if uint32(v) > 255 {
		return byte(^v >> 31) // 0 for what is negative
	}
	return byte(v)
}
