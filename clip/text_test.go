package clip_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/nn"
)

// TestTextTower builds the text tower into a graph of an importing program's own; it gives what the encoder gives.
func TestTextTower(t *testing.T) {
	const spec = `{"model_cfg": {"embed_dim": 24, "quick_gelu": true, "vision_cfg": {"image_size": 8, "layers": 1, "width": 64, "patch_size": 4},
		"text_cfg": {"context_length": 7, "vocab_size": 11, "width": 64, "heads": 2, "layers": 2}}}`
	path := filepath.Join(t.TempDir(), "clip.json")
	if err := os.WriteFile(path, []byte(spec), 0o666); err != nil {
		t.Fatal(err)
	}
	encoder, err := clip.Open("random:"+path, clip.Options{Text: true, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	model, err := clip.New(encoder.Config(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.Init(3); err != nil {
		t.Fatal(err)
	}
	g := G.NewGraph()
	in := clip.NewTextInput(g, 12, 4)
	features := model.Text.Forward(in)
	machine, err := nn.NewMachine(nn.NewCPUWeights(nn.Float32, nn.WeightsFloat32), features)
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	texts := [][]int32{{1, 2, 10, 0, 0}, {4}, {1, 3, 10}}
	if err := in.Set(texts); err != nil {
		t.Fatal(err)
	}
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	got, err := machine.Value(features).Float32s()
	if err != nil {
		t.Fatal(err)
	}
	want, err := encoder.EncodeIDs(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, slices.Concat(want...)) {
		t.Errorf("features %v, the encoder's are %v", got, want)
	}
	for name, bad := range map[string][][]int32{"an empty text": {{}}, "an id outside the vocabulary": {{11}}, "too many texts": {{1}, {1}, {1}, {1}, {1}}, "too many rows": {{1, 2, 3, 4, 5, 6, 7}, {1, 2, 3, 4, 5, 6, 7}}} {
		if err := in.Set(bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
