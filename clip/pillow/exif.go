package pillow

import (
	"bytes"
	"encoding/binary"
)

// orientation is the EXIF orientation of a JPEG, PNG or WebP, 1 to 8, where it has one; else 1, upright.
func orientation(data []byte) int {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8")):
		return jpegOrientation(data)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return pngOrientation(data)
	case len(data) > 12 && bytes.HasPrefix(data, []byte("RIFF")) && string(data[8:12]) == "WEBP":
		return webpOrientation(data)
	}
	return 1
}

// pngOrientation looks for the chunk eXIf.
func pngOrientation(data []byte) int {
	for rest := data[8:]; len(rest) >= 12; { // a chunk's length, name, content and checksum
		n := int64(binary.BigEndian.Uint32(rest))
		if n > int64(len(rest)-12) {
			return 1
		}
		if string(rest[4:8]) == "eXIf" {
			return tiffOrientation(rest[8 : 8+n])
		}
		rest = rest[12+n:]
	}
	return 1
}

// webpOrientation looks for the chunk EXIF, which some writers begin as a JPEG's.
func webpOrientation(data []byte) int {
	for rest := data[12:]; len(rest) > 0; {
		name, body, after, err := webpChunk(rest)
		if err != nil {
			return 1
		}
		if name == "EXIF" {
			return tiffOrientation(bytes.TrimPrefix(body, []byte("Exif\x00\x00")))
		}
		rest = after
	}
	return 1
}

// jpegOrientation looks for the segment APP1.
func jpegOrientation(data []byte) int {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker, size := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == 0xff { // a fill byte
			at++
			continue
		}
		if marker == 0xda || size < 2 || at+2+size > len(data) {
			return 1 // the scan begins, or nonsense
		}
		body := data[at+4 : at+2+size]
		if marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return tiffOrientation(body[6:])
		}
		at += 2 + size
	}
	return 1
}

// tiffOrientation finds tag 0x112 in the first directory of a TIFF header.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	entries := int(order.Uint16(b[at:]))
	for b = b[at+2:]; entries > 0 && len(b) >= 12; entries, b = entries-1, b[12:] {
		if order.Uint16(b) != 0x112 {
			continue
		}
		if v := int(order.Uint16(b[8:])); v >= 1 && v <= 8 {
			return v
		}
		return 1
	}
	return 1
}

// orient turns and mirrors m so that an image of orientation o stands upright.
func (m *Image) orient(o int) *Image {
	if o <= 1 || o > 8 {
		return m
	}
	m = m.converted()
	w, h := m.Width, m.Height
	if o >= 5 {
		w, h = h, w
	}
	to := newImage(m.mode, w, h)
	to.colors = m.colors
	bands := m.mode.bands()
	for y := range h {
		for x := range w {
			sx, sy := x, y
			if o >= 5 {
				sx, sy = y, x
			}
			if o == 2 || o == 3 || o == 7 || o == 8 {
				sx = m.Width - 1 - sx
			}
			if o == 3 || o == 4 || o == 6 || o == 7 {
				sy = m.Height - 1 - sy
			}
			if m.mode == gray16 {
				to.wide[y*w+x] = m.wide[sy*m.Width+sx]
				continue
			}
			copy(to.pix[(y*w+x)*bands:][:bands], m.pix[(sy*m.Width+sx)*bands:])
		}
	}
	return to
}
