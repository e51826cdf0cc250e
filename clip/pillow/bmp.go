package pillow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
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

// bmpSize reads the size of a BMP; what the decoder does not read is told by its name.
func bmpSize(data []byte) (width, height int, err error) {
	width, height, err = sizeBy(bmp.DecodeConfig)(data)
	if errors.Is(err, bmp.ErrUnsupported) {
		err = unsupported(bmpVariant(data))
	}
	return width, height, err
}

// bmpVariant says what is unusual about a BMP that is not read.
func bmpVariant(data []byte) string {
	header := binary.LittleEndian.Uint32(data[14:])
	if header != 40 && header != 108 && header != 124 {
		return fmt.Sprintf("a header of %d bytes", header)
	}
	bits, compression := binary.LittleEndian.Uint16(data[28:]), binary.LittleEndian.Uint32(data[30:])
	switch {
	case compression == 1 || compression == 2:
		return "run-length encoding (RLE)"
	case compression == 3 || compression == 6:
		return fmt.Sprintf("bitfields of %d bits a pixel", bits)
	case compression != 0:
		return fmt.Sprintf("compression %d", compression)
	case bits == 16:
		return "16 bits a pixel"
	case binary.LittleEndian.Uint32(data[10:]) > 14+header && bits >= 24:
		return "a gap between header and pixels"
	}
	return fmt.Sprintf("this header of %d bits a pixel", bits)
}
