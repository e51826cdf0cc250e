package pillow

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnimatedWebP: hashes of what Pillow 13 with libwebp 1.6 makes of the first frame of small animations.
func TestAnimatedWebP(t *testing.T) {
	for name, want := range map[string]string{
		"animated_lossy.webp":    "1c5d56973cf1d80e",
		"animated_alpha.webp":    "cffbd79ab6ea615d",
		"animated_lossless.webp": "813fc5cad10bcf4a",
	} {
		im, err := Open(filepath.Join("testdata", name), Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		sum := sha256.Sum256(im.pix)
		if got := hex.EncodeToString(sum[:8]); got != want || im.Width != 27 || im.Height != 19 {
			t.Errorf("%s: %d×%d pixels %s, want 27×19 and %s", name, im.Width, im.Height, got, want)
		}
	}
}

// TestWebPContainer: a frame lies where it says, and a container that lies about its image is refused before its pixels
// are decoded.
func TestWebPContainer(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "animated_lossless.webp"))
	if err != nil {
		t.Fatal(err)
	}
	anmf := bytes.Index(data, []byte("ANMF")) + 8
	whole, err := Decode(data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	moved := bytes.Clone(data)
	moved[24], moved[27] = 40-1, 30-1 // the canvas
	moved[anmf], moved[anmf+3] = 3, 2 // the frame, at (6, 4)
	im, err := Decode(moved, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for y := range 30 {
		for x := range 40 {
			want := []byte{0, 0, 0, 0}
			if fx, fy := x-6, y-4; fx >= 0 && fx < 27 && fy >= 0 && fy < 19 {
				want = whole.pix[4*(27*fy+fx):][:4]
			}
			if got := im.pix[4*(40*y+x):][:4]; !bytes.Equal(got, want) {
				t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, got, want)
			}
		}
	}
	image := anmf + 16 // the frame's own chunk
	for _, c := range []struct {
		says string
		data func(b []byte) []byte
	}{
		{"leaves the canvas", func(b []byte) []byte { b[anmf] = 200; return b }},
		{"in a frame of", func(b []byte) []byte { b[anmf+6] = 20; return b }},
		{"without an image", func(b []byte) []byte { copy(b[image:], "JUNK"); return b }},
		{"cut short", func(b []byte) []byte { binary.LittleEndian.PutUint32(b[anmf-4:], 1<<31); return b }},
		{"cut short", func(b []byte) []byte { return b[:anmf+10] }},
		{"no image", func(b []byte) []byte { b[20] = 0; return b }}, // not animated: frames do not count
		{"want 1 to", func(b []byte) []byte { copy(b[24:], "\xff\xff\xff\xff\xff\xff"); return b }},
		{"want VP8", func(b []byte) []byte { copy(b[12:], "LIST"); return b }},
	} {
		if _, err := Decode(c.data(bytes.Clone(data)), Options{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want one with %q", err, c.says)
		}
	}
	// A still image larger than its canvas could get past a limit on pixels.
	still := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), data[image:]...)
	if _, err := Decode(still, Options{MaxPixels: 100}); err == nil || !strings.Contains(err.Error(), "on a canvas of 1×1") {
		t.Errorf("error %v, want one about the canvas", err)
	}
}
