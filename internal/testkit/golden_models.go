package testkit

import (
	"encoding/json"
	"os"
	"testing"
)

// GoldenShapes are the sizes of the small golden models, as models/config.json has them. Tests ask here, so that they hold on golden
// files of other sizes and seeds too.
type GoldenShapes struct {
	Embed        int `json:"embed"` // numbers of a CLIP feature
	ImageSize    int `json:"res"`   // of the ViT
	VisionLayers int `json:"vlayers"`
	TextLayers   int `json:"tlayers"`
	TextVocab    int `json:"vocab"`
	Dim          int `json:"d"` // GPT-2's width
	Heads        int `json:"heads"`
	Vocab        int `json:"gvocab"`
	MLP          struct{ Prefix int }
	Transformer  struct{ Prefix, Clip, Layers int }
	Linear       struct{ Prefix int }
}

// GoldenModels returns the sizes of the golden models, or skips the test as [Golden] does.
func GoldenModels(t testing.TB) GoldenShapes {
	t.Helper()
	var s GoldenShapes
	var mappers struct{ Plen, Tplen, Tclen, Maplayers int }
	for _, to := range []any{&s, &mappers} {
		readJSON(t, Golden(t, "models/config.json"), to)
	}
	s.MLP.Prefix, s.Linear.Prefix = mappers.Plen, 12 // the linear mapper's is not in the file
	s.Transformer.Prefix, s.Transformer.Clip, s.Transformer.Layers = mappers.Tplen, mappers.Tclen, mappers.Maplayers
	return s
}

// A GoldenArray is what the manifest says of a reference array in float64.
type GoldenArray struct {
	Diff  float64 `json:"f32_vs_f64_max"` // how far PyTorch's float32 is from it
	Scale float64 `json:"scale"`          // its largest number
}

// GoldenReference returns what the manifest says of an array below models/weights, or skips the test as [Golden] does.
func GoldenReference(t testing.TB, name string) GoldenArray {
	t.Helper()
	var manifest struct{ Refs map[string]json.RawMessage }
	path := Golden(t, "models/weights/manifest.json")
	readJSON(t, path, &manifest)
	var a GoldenArray
	if err := json.Unmarshal(manifest.Refs[name], &a); err != nil || a.Diff == 0 {
		t.Fatalf("%s: %s has no float32 to compare with: %v", path, name, err)
	}
	return a
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
