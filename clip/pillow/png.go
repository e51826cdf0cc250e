package pillow

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
)

// The colour types of a PNG.
const (
	pngGray      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngGrayAlpha = 4
	pngRGBAlpha  = 6
)

// decodePNG reads a PNG. Pillow goes by the header: a transparent colour beside gray or RGB does not make an alpha
// channel, gray of one bit is mode 1, gray of 16 bits is mode I, and any other 16 bits lose their low byte.
func decodePNG(data []byte) (*Image, error) {
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	depth, kind := data[24], data[25] // IHDR comes first
	switch {
	case kind == pngPalette:
		if p, ok := m.(*image.Paletted); ok {
			return fromPaletted(p, p.Rect), nil
		}
	case kind == pngGray && depth == 1:
		im := keep(m, indexed) // 0 and 255
		im.mode = indexed
		im.colors[255] = [3]byte{255, 255, 255}
		return im, nil
	case kind == pngGray && depth == 16:
		return takeGray16(m), nil
	case kind == pngGray:
		return keep(m, gray), nil
	case kind == pngRGB:
		return keep(m, rgb), nil
	case kind == pngGrayAlpha, kind == pngRGBAlpha:
		return keep(m, rgba), nil
	}
	return nil, fmt.Errorf("colour type %d held as %T", kind, m)
}

// takeGray16 copies gray of 16 bits, which comes with an alpha channel where a gray value is transparent.
func takeGray16(m image.Image) *Image {
	n, ok := m.(*image.NRGBA64)
	if !ok {
		return takeWide(m.(*image.Gray16))
	}
	g := image.NewGray16(n.Rect)
	for i := range len(n.Pix) / 8 {
		g.Pix[2*i], g.Pix[2*i+1] = n.Pix[8*i], n.Pix[8*i+1]
	}
	return takeWide(g)
}
