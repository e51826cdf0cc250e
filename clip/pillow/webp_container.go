package pillow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// webpFile is what the container of a WebP says: the canvas, and its image or first frame.
type webpFile struct {
	width, height int
	alpha         bool // of an animation: the canvas has an alpha channel
	animated      bool
	x, y          int    // where an animation's first frame lies
	still         []byte // a file of the image alone
}

// webpChunk is a chunk of the RIFF format: its name, its content, and what follows it.
func webpChunk(data []byte) (name string, body, rest []byte, err error) {
	if len(data) < 8 {
		return "", nil, nil, io.ErrUnexpectedEOF
	}
	n := int64(binary.LittleEndian.Uint32(data[4:]))
	if n > int64(len(data)-8) {
		return "", nil, nil, io.ErrUnexpectedEOF
	}
	end := 8 + int(n)
	return string(data[:4]), data[8:end], data[min(end+end&1, len(data)):], nil
}

// uint24 is a number of three bytes.
func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// parseWebP reads the container.
func parseWebP(data []byte) (*webpFile, error) {
	name, body, rest, err := webpChunk(data[min(12, len(data)):])
	if err != nil {
		return nil, err
	}
	f := &webpFile{still: data}
	if name != "VP8X" {
		f.width, f.height, err = webpImageSize(name, body)
		return f, err
	}
	if len(body) < 10 {
		return nil, io.ErrUnexpectedEOF
	}
	f.width, f.height = 1+uint24(body[4:]), 1+uint24(body[7:])
	f.alpha, f.animated = body[0]&(1<<4) != 0, body[0]&(1<<1) != 0
	for len(rest) > 0 {
		if name, body, rest, err = webpChunk(rest); err != nil {
			return nil, err
		}
		switch {
		case name == "ANMF" && f.animated:
			return f, f.frame(body)
		case (name == "VP8 " || name == "VP8L") && !f.animated:
			w, h, err := webpImageSize(name, body)
			if err == nil && (w != f.width || h != f.height) {
				err = fmt.Errorf("an image of %d×%d on a canvas of %d×%d", w, h, f.width, f.height)
			}
			return f, err
		}
	}
	return nil, errors.New("no image in it")
}

// webpImageSize reads the size of an image from the head of its data.
func webpImageSize(name string, b []byte) (width, height int, err error) {
	switch {
	case name == "VP8 " && len(b) >= 10:
		return int(binary.LittleEndian.Uint16(b[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[8:]) & 0x3fff), nil
	case name == "VP8L" && len(b) >= 5:
		n := binary.LittleEndian.Uint32(b[1:])
		return 1 + int(n&0x3fff), 1 + int(n>>14&0x3fff), nil
	case name == "VP8 " || name == "VP8L":
		return 0, 0, io.ErrUnexpectedEOF
	}
	return 0, 0, fmt.Errorf("begins with a chunk %q, want VP8, VP8L or VP8X", name)
}

// frame makes a file of an animation's frame.
func (f *webpFile) frame(b []byte) error {
	if len(b) < 16 {
		return io.ErrUnexpectedEOF
	}
	var w, h int
	f.x, f.y, w, h = 2*uint24(b), 2*uint24(b[3:]), 1+uint24(b[6:]), 1+uint24(b[9:])
	if f.x+w > f.width || f.y+h > f.height {
		return fmt.Errorf("a frame of %d×%d at (%d, %d) leaves the canvas of %d×%d", w, h, f.x, f.y, f.width, f.height)
	}
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	chunk := func(name string, body []byte) {
		out = append(out, name...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
		out = append(out, body...)
		if len(body)&1 == 1 {
			out = append(out, 0)
		}
	}
	for rest := b[16:]; len(rest) > 0; {
		name, body, after, err := webpChunk(rest)
		if err != nil {
			return err
		}
		rest = after
		switch name {
		case "ALPH":
			size := []byte{1 << 4, 0, 0, 0, byte(w - 1), byte((w - 1) >> 8), byte((w - 1) >> 16), byte(h - 1), byte((h - 1) >> 8), byte((h - 1) >> 16)}
			chunk("VP8X", size)
			chunk(name, body)
		case "VP8 ", "VP8L":
			iw, ih, err := webpImageSize(name, body)
			if err != nil {
				return err
			}
			if iw != w || ih != h {
				return fmt.Errorf("an image of %d×%d in a frame of %d×%d", iw, ih, w, h)
			}
			chunk(name, body)
			binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
			f.still = out
			return nil
		}
	}
	return errors.New("a frame without an image")
}

// webpSize is the size of the canvas; the image's own is checked with it.
func webpSize(data []byte) (width, height int, err error) {
	f, err := parseWebP(data)
	if err != nil {
		return 0, 0, err
	}
	return f.width, f.height, nil
}

// onCanvas lays an animation's first frame on its canvas, which is transparent black.
func (f *webpFile) onCanvas(m *Image) *Image {
	to := rgb
	if f.alpha {
		to = rgba
	}
	out := newImage(to, f.width, f.height)
	from, bands := m.mode.bands(), to.bands()
	for y := range m.Height {
		src, dst := m.pix[y*m.Width*from:], out.pix[((f.y+y)*f.width+f.x)*bands:]
		for x := range m.Width {
			d := dst[x*bands:][:bands]
			if bands == 4 {
				d[3] = 255
			}
			copy(d, src[x*from:][:from])
		}
	}
	return out
}
