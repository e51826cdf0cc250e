package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap"
	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

var features = []float32{1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1, 0, 0, 1, 0, 0, 1}

// world is a folder with a tiny model, an image encoder, features and photos of the images 0 to 2.
func world(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lm, err := gpt2.Published("gpt2")
	check(err)
	lm.Dim, lm.Layers, lm.Heads, lm.Positions, lm.InitRange = 8, 1, 1, 40, 0.5
	c := checkpoint.Config{Config: mapping.Config{Kind: mapping.KindMLP, Feature: 6, Dim: 8, PrefixLength: 2}, LM: lm}
	m, err := mapping.New(c.Config)
	check(err)
	params, err := nn.Collect(mapping.Prefix, m)
	check(err)
	m.Init(1)
	g, err := gpt2.New(lm)
	check(err)
	words, err := g.Params("gpt.transformer")
	check(err)
	g.Init(2)
	check(os.Mkdir(filepath.Join(dir, "model"), 0o777))
	check(checkpoint.Write(filepath.Join(dir, "model"), c, params, words))
	check(os.WriteFile(filepath.Join(dir, "clip.json"), []byte(`{"embed_dim": 6, "quick_gelu": true,
		"vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16}}`), 0o666))
	check(weights.WriteFile(filepath.Join(dir, "features.npy"), func(w io.Writer) error {
		return weights.WriteNPY(w, weights.Floats("f", []int{3, 6}, features, weights.F32))
	}))
	check(os.Mkdir(filepath.Join(dir, "photos"), 0o777))
	for i := range 3 {
		im := image.NewGray(image.Rect(0, 0, 20+i, 30))
		for j := range im.Pix {
			im.Pix[j] = uint8(j * (i + 3))
		}
		var b bytes.Buffer
		check(png.Encode(&b, im))
		check(os.WriteFile(filepath.Join(dir, "photos", fmt.Sprintf("%d.png", i)), b.Bytes(), 0o666))
	}
	check(os.WriteFile(filepath.Join(dir, "refs.json"), []byte(`{"2": ["a dog", "the dog"], "0": ["a bus"], "1": ["two cats"]}`), 0o666))
	check(os.WriteFile(filepath.Join(dir, "more.json"), []byte(`{"2": ["a dog"], "7": ["a bus"]}`), 0o666))
	return dir
}

// Captioning first gives what scoring a file of the same captions gives.
func TestModel(t *testing.T) {
	dir := world(t)
	m, err := clipcap.Open(t.Context(), filepath.Join(dir, "model"), clipcap.Options{FeaturesOnly: true, Decode: func() gpt2.Options {
		d := gpt2.DefaultOptions()
		d.Mode, d.MaxTokens = gpt2.Greedy, 5
		return d
	}()})
	if err != nil {
		t.Fatal(err)
	}
	captions := map[string]string{}
	i := 0
	for c, err := range m.CaptionFeatures(t.Context(), func(yield func([]float32, error) bool) {
		for k := range 3 {
			if !yield(features[6*k:6*k+6], nil) {
				return
			}
		}
	}) {
		if err != nil {
			t.Fatal(err)
		}
		captions[fmt.Sprint(i)] = c[0].Text
		i++
	}
	text, err := json.Marshal(captions)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), text, 0o666); err != nil {
		t.Fatal(err)
	}
	status, want, errs := call(t, dir, "--annotations DIR/refs.json --results DIR/results.json --json --sanitize")
	if status != 0 {
		t.Fatal(errs)
	}
	status, got, errs := call(t, dir, "--annotations DIR/refs.json --model DIR/model --features DIR/features.npy --decode greedy --max-tokens 5 --precision float32 --json --submission DIR/s.json")
	if status != 0 || got != want {
		t.Errorf("%d, %s\nwant %s%s", status, got, want, errs)
	}
	if list, err := os.ReadFile(filepath.Join(dir, "s.json")); err != nil || strings.Count(string(list), "image_id") != 3 || !strings.HasPrefix(string(list), "[\n{\"image_id\":2,") {
		t.Errorf("%s, %v", list, err)
	}
}

func TestModelOnImages(t *testing.T) {
	dir := world(t)
	line := "--annotations DIR/refs.json --model DIR/model --clip random:DIR/clip.json --images DIR/photos --decode greedy --max-tokens 4 --json"
	status, first, errs := call(t, dir, line)
	if status != 0 || !strings.Contains(first, `"CIDEr"`) {
		t.Fatalf("%d, %q, %q", status, first, errs)
	}
	for _, c := range []struct{ line, want string }{
		{strings.Replace(line, "refs.json", "more.json", 1), "image id 7: neither"},
		{strings.Replace(strings.Replace(line, "refs.json", "more.json", 1), "--clip random:DIR/clip.json --images DIR/photos", "--features DIR/features.npy", 1), "image id 7 is not in"},
		{strings.Replace(line, "photos", "model", 1), "--images: image id 2"},
	} {
		if status, _, errs := call(t, dir, c.line); status != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%s: %d, %q, want %q", c.line, status, errs, c.want)
		}
	}
	status, out, errs := call(t, dir, strings.Replace(line, "refs.json", "more.json", 1)+" --subset")
	if status != 0 || !strings.Contains(out, "1 of 2 images have no caption") {
		t.Errorf("--subset: %d, %q, %q", status, out, errs)
	}
	if err := os.WriteFile(filepath.Join(dir, "photos", "1.png"), []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := call(t, dir, line); status != 1 || !strings.Contains(errs, "image id 1") {
		t.Errorf("a broken image: %d, %q", status, errs)
	}
}
