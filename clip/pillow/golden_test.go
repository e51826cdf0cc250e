package pillow

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestGoldenSquares holds every golden image against what Pillow made of it, bit for bit.
func TestGoldenSquares(t *testing.T) {
	dir := testkit.Golden(t, "models/images")
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Items []struct {
			File, Expect string
			Crops        map[string]string
		}
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Items) == 0 {
		t.Fatal("the manifest lists no image")
	}
	for _, it := range manifest.Items {
		path := filepath.Join(dir, it.File)
		im, err := Open(path, Options{})
		if it.Expect != "" {
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: error %v, want one that names the file", it.File, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		for size, file := range it.Crops {
			n, err := strconv.Atoi(size)
			if err != nil {
				t.Fatal(err)
			}
			got, err := im.Square(n)
			if err != nil {
				t.Error(err)
				continue
			}
			most, off := 0, 0
			want := readBytes(t, filepath.Join(dir, file), 3*n*n)
			if len(got) != len(want) {
				t.Fatalf("%s: %d bytes, want %d", file, len(got), len(want))
			}
			for i, w := range want {
				d := max(int(got[i])-int(w), int(w)-int(got[i]))
				most = max(most, d)
				if d > 0 {
					off++
				}
			}
			if most > 0 {
				t.Errorf("%s: %d of %d bytes differ, by at most %d", file, off, len(want), most)
			}
		}
	}
}

// readBytes reads a .npy of n bytes.
func readBytes(t *testing.T, path string, n int) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < n+10 || string(b[:6]) != "\x93NUMPY" {
		t.Fatalf("%s: %d bytes, want a .npy of %d", path, len(b), n)
	}
	return b[len(b)-n:]
}
