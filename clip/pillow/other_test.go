package pillow

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// Photos of a kind that is not read are told by its name, not by their first bytes.
func TestKindsNotRead(t *testing.T) {
	for data, want := range map[string]string{
		"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1": "HEIC",
		"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1": "AVIF",
		"II*\x00\x08\x00\x00\x00":                      "TIFF",
		"\xff\x0a\x10\x20":                             "JPEG XL",
		"%PDF-1.7":                                     "PDF",
		"<html><body>":                                 "begins with",
		"\x00\x00\x00\x18ftypmp42":                     "begins with",
		"II":                                           "begins with",
	} {
		_, err := Decode([]byte(data), Options{})
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", data, err, want)
		}
	}
}

// TestBMPsNotRead: a BMP that the decoder does not know is told by what is unusual about it.
func TestBMPsNotRead(t *testing.T) {
	bmp := func(offset, header uint32, bits uint16, compression uint32) []byte {
		b := make([]byte, 200)
		copy(b, "BM")
		le := binary.LittleEndian
		le.PutUint32(b[10:], offset)
		le.PutUint32(b[14:], header)
		le.PutUint32(b[18:], 2)
		le.PutUint32(b[22:], 2)
		le.PutUint16(b[26:], 1)
		le.PutUint16(b[28:], bits)
		le.PutUint32(b[30:], compression)
		return b
	}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{bmp(26, 12, 24, 0), "a header of 12 bytes"},
		{bmp(54, 40, 16, 0), "16 bits a pixel"},
		{bmp(66, 40, 16, 3), "bitfields of 16 bits a pixel"},
		{bmp(66, 40, 32, 3), "bitfields of 32 bits a pixel"},
		{bmp(54, 40, 8, 1), "run-length encoding (RLE)"},
		{bmp(54, 40, 0, 4), "compression 4"},
		{bmp(60, 40, 24, 0), "a gap between header and pixels"},
		{bmp(54, 40, 24, 0)[:40], "the file is cut short"},
	} {
		_, err := Decode(c.data, Options{})
		if err == nil || !strings.Contains(err.Error(), "read BMP header: "+c.want) || errors.Is(err, ErrFormat) == (c.want == "the file is cut short") {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	if _, err := Decode(bmp(54, 40, 24, 0), Options{}); err != nil {
		t.Errorf("a plain BMP: %v", err)
	}
}
