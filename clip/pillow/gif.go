package pillow

import (
	"bytes"
	"image"
	"image/gif"
)

// decodeGIF reads the first image of a GIF onto its screen.
func decodeGIF(data []byte) (*Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	m, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	p := m.(*image.Paletted)
	im := fromPaletted(p, image.Rect(0, 0, c.Width, c.Height))
	// The decoder has taken its colour from the transparent index; Pillow shows it, and clears the screen to it.
	table, clear := gifPalette(data)
	for i := range min(len(table)/3, 256) {
		im.colors[i] = [3]byte(table[3*i:])
	}
	if clear > 0 {
		for y := range im.Height {
			for x := range im.Width {
				if !(image.Point{X: x, Y: y}).In(p.Rect) {
					im.pix[y*im.Width+x] = byte(clear)
				}
			}
		}
	}
	if im.ramp(len(table) / 3) {
		im.mode = gray
	}
	return im, nil
}

// gifPalette finds the colours of the first image of a GIF that has been decoded without an error, and its transparent
// index or -1.
func gifPalette(data []byte) (table []byte, transparent int) {
	transparent = -1
	colours := func(flags byte, at int) []byte {
		if flags&0x80 == 0 {
			return nil
		}
		return data[at : at+3<<(flags&7+1)]
	}
	table = colours(data[10], 13)
	for at := 13 + len(table); ; {
		if data[at] == ',' {
			if local := colours(data[at+9], at+10); local != nil {
				table = local
			}
			return table, transparent
		}
		// An extension: '!', its kind, blocks that begin with their length.
		if data[at+1] == 0xf9 && data[at+3]&1 != 0 {
			transparent = int(data[at+6])
		}
		for at += 2; data[at] != 0; at += int(data[at]) + 1 {
		}
		at++
	}
}
