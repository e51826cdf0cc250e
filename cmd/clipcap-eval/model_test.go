package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/testkit/tiny"
)

// world is a folder with a tiny model, an image encoder, features and photos of the images 0 to 2.
func world(t *testing.T) string {
	t.Helper()
	dir := texts(t, map[string]string{
		"refs.json": `{"2": ["a dog", "the dog"], "0": ["a bus"], "1": ["two cats"]}`,
		"more.json": `{"2": ["a dog"], "7": ["a bus"]}`,
	})
	tiny.World(t, dir, "0.png", "1.png", "2.png")
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
			if !yield(tiny.Features[6*k:6*k+6], nil) {
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
	if status, out, errs := call(t, dir, line+" --subset"); status != 0 || !strings.Contains(out, "1 of 3 images have no caption") || !strings.Contains(errs, "image id 1") {
		t.Errorf("a broken image and --subset: %d, %q, %q", status, out, errs)
	}
	for _, name := range []string{"0.png", "2.png"} {
		os.Remove(filepath.Join(dir, "photos", name))
	}
	if status, _, errs := call(t, dir, line+" --subset"); status != 1 || !strings.Contains(errs, "clipcap-eval: --model: image id 1") {
		t.Errorf("nothing but a broken image and --subset: %d, %q", status, errs)
	}
}

// TestModelLast: whatever else is wrong is said before the model is opened, which here would be an error of its own.
func TestModelLast(t *testing.T) {
	dir := texts(t, map[string]string{
		"refs.json": `{"0": ["a bus"], "1": ["two cats"]}`,
		"none.json": `{"images": [{"id": 0}, {"id": 1}], "annotations": []}`,
		"half.json": `{"0": "a bus"}`,
		"model":     "no model",
	})
	for _, c := range []struct{ args, want string }{
		{"--annotations DIR/refs.json --meteor DIR", "no METEOR data"},
		{"--annotations DIR/refs.json --compare DIR/half.json", "--compare: "},
		{"--annotations DIR/refs.json --clipscore random:ViT-B/32 --clip-vocab DIR/none", "--clip-vocab"},
		{"--annotations DIR/refs.json --clipscore DIR/none", "clipscore: "},
		{"--annotations DIR/refs.json --submission DIR/s.zip", "--submission: image id 0"},
		{"--annotations DIR/none.json", "no human captions"},
	} {
		status, _, errs := call(t, dir, c.args+" --model DIR/model --images DIR")
		if status != 1 || !strings.Contains(errs, c.want) || strings.Contains(errs, "--model: ") {
			t.Errorf("%s: status %d, %q, want %q", c.args, status, errs, c.want)
		}
	}
	if status, _, errs := call(t, dir, "--annotations DIR/refs.json --model DIR/model --images DIR"); status != 1 || !strings.Contains(errs, "--model: ") {
		t.Errorf("status %d, %q", status, errs)
	}
}
