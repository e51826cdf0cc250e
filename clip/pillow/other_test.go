package pillow

import (
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
