package extract

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/clip"
)

// encoder is a small random CLIP.
func encoder(t testing.TB) *clip.Encoder { return encoderOf(t, "true") }

// encoderOf is encoder with QuickGELU or without.
func encoderOf(t testing.TB, quick string) *clip.Encoder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.json")
	config := `{"embed_dim": 6, "quick_gelu": ` + quick + `, "vision_cfg": {"image_size": 12, "layers": 1, "width": 16, "patch_size": 6, "head_width": 8}}`
	write(t, path, []byte(config))
	e, err := clip.Open("random:"+path, clip.Options{Batch: 3})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// drawn is image number n of the tests, as a PNG or JPEG.
func drawn(t testing.TB, n int, asJPEG bool) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 13+n%5, 12+n%7))
	for i := range m.Pix {
		m.Pix[i] = byte(i*(n+3) + n)
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	m.Set(0, 0, color.NRGBA{byte(n), 0, 0, 255})
	var b bytes.Buffer
	err := png.Encode(&b, m)
	if asJPEG {
		b.Reset()
		err = jpeg.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// folder makes a folder of n images, of which the fourth, the ninth and so on are broken in one of three ways.
func folder(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		data := drawn(t, i, i%2 == 1)
		if i%5 == 3 {
			data = [][]byte{[]byte("<html>404</html>"), data[:len(data)/2], {}}[i/5%3]
		}
		write(t, filepath.Join(dir, fmt.Sprintf("%04d.%s", i, []string{"png", "jpg"}[i%2])), data)
	}
	return dir
}

func open(t testing.TB, path string, o SourceOptions) Source {
	t.Helper()
	s, err := OpenSource(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// contents are the files of a folder.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(b)
	}
	return files
}

func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: %s differs from that of the uninterrupted run", what, name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is left over", what, name)
		}
	}
}
