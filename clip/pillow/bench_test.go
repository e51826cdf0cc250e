package pillow

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkSquare decodes photos and cuts the squares of 224, as extraction does; the photos lie in the folder that
// CLIPCAP_PHOTOS names.
func BenchmarkSquare(b *testing.B) {
	names, err := filepath.Glob(filepath.Join(os.Getenv("CLIPCAP_PHOTOS"), "*.jpg"))
	if err != nil || os.Getenv("CLIPCAP_PHOTOS") == "" || len(names) == 0 {
		b.Skip("CLIPCAP_PHOTOS names no folder of photos")
	}
	var files [][]byte
	for _, n := range names {
		f, err := os.ReadFile(n)
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, f)
	}
	i := 0
	for b.Loop() {
		im, err := Decode(files[i%len(files)], Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := im.Square(224); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
