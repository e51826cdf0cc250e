package pillow

import (
	"bytes"
	"image"

	"golang.org/x/image/bmp"
)

// decodeBMP reads a BMP. Palettes that are but gray, or black and white, make gray and one-bit images in Pillow.
func decodeBMP(data []byte) (*Image, error) {
	m, err := bmp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *image.Paletted:
		im := fromPaletted(m, m.Rect)
		if len(m.Palette) > 2 && im.ramp(len(m.Palette)) {
			im.mode = gray
		}
		return im, nil
	case *image.NRGBA:
		if data[30] == 0 { // no masks: the fourth byte is padding
			return keep(m, rgb), nil
		}
		return keep(m, rgba), nil
	}
	return keep(m, rgb), nil
}
