package data

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/clipcap-go/clipcap/weights"
)

// FuzzFeatureSet holds that whatever meta.json and the list of rows say, a feature set that opens has a name for every row and finds the
// row by it.
func FuzzFeatureSet(f *testing.F) {
	f.Add([]byte(`{"dim": 2, "clip": {"name": "ViT-B/32"}}`), []byte(`{"id": 7, "row": 0}`+"\n"+`{"id": "x"}`+"\n"+`{"id": "b.jpg", "row": 1}`))
	f.Add([]byte(`{"dim": 3}`), []byte(`{"id": 7, "row": 0}{"id": 7, "row": 1}`))
	f.Add([]byte(`{"dim"`), []byte(`{"id": 1, "row": -1}`))
	f.Add([]byte(``), []byte(`{"id": 1.5, "row": 2}`))
	f.Add([]byte(`null`), []byte(`[]`))
	dir := f.TempDir()
	if err := weights.WriteFile(filepath.Join(dir, "00000.npy"), func(w io.Writer) error {
		return weights.WriteNPY(w, weights.Floats("x", []int{2, 2}, []float32{1, 2, 3, 4}, weights.F32))
	}); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "00000.json"), []byte("{}"), 0o666); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, meta, list []byte) {
		for name, text := range map[string][]byte{"meta.json": meta, "00000.jsonl": list} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		s, err := OpenFeatures(dir)
		if err != nil {
			return
		}
		defer s.Close()
		if s.Rows() != 2 || s.Dim != 2 || s.Meta.Dim != 2 {
			t.Errorf("%q: %d rows of %d numbers, meta %+v", meta, s.Rows(), s.Dim, s.Meta)
		}
		for i := range s.Rows() {
			row, ok := s.Find(s.ID(i))
			if s.ID(i) == "" || !ok || s.ID(row) != s.ID(i) {
				t.Errorf("%q: row %d has id %q, which finds %d, %v", list, i, s.ID(i), row, ok)
			}
		}
	})
}
