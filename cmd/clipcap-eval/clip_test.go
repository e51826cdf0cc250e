package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/eval"
)

// CLIPScore of a random CLIP: what the scores are does not matter, that they lie in their range and repeat does.
func TestCLIPScore(t *testing.T) {
	var letters []rune // as CLIP spells the 256 bytes
	for r := '!'; r < 0x144; r++ {
		if r < 0x7F || r > 0xA0 && r != 0xAD {
			letters = append(letters, r)
		}
	}
	var vocabulary strings.Builder
	vocabulary.WriteString("#version\n")
	for i := range 48894 { // as many merges as the published vocabulary has, pairs of letters
		fmt.Fprintf(&vocabulary, "%c %c\n", letters[i/256], letters[i%256])
	}
	dir := texts(t, map[string]string{
		"clip/config.json": `{"embed_dim": 6, "quick_gelu": true, "vision_cfg": {"image_size": 64, "layers": 1, "width": 64, "patch_size": 4}, "text_cfg": {"layers": 1, "width": 64, "heads": 1, "vocab_size": 49408, "context_length": 77}}`,
		"clip/merges.txt":  vocabulary.String(),
		"refs.json":        inputs["coco.json"], "res.json": inputs["res.json"],
	})
	line := "--annotations DIR/refs.json --results DIR/res.json --images DIR --clip random:DIR/clip/config.json --clip-vocab DIR/clip/merges.txt --json"
	status, _, errs := call(t, dir, line)
	if status != 1 || !strings.Contains(errs, "image id 1: neither \"COCO_val2014_000000000001.jpg\" nor 1.jpg") {
		t.Fatalf("no image: %d, %q", status, errs)
	}
	for i := range 2 {
		m := image.NewGray(image.Rect(0, 0, 70, 80))
		for j := range m.Pix {
			m.Pix[j] = byte((i + 1) * j)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.png", i+1)), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	status, first, errs := call(t, dir, line)
	var got output
	if err := json.Unmarshal([]byte(first), &got); err != nil || status != 0 {
		t.Fatalf("%d, %q, %q", status, first, errs)
	}
	for _, name := range []string{"CLIPScore", "RefCLIPScore"} {
		if v, ok := got.Corpus[name]; !ok || v < 0 || v > 2.5 {
			t.Errorf("%s: %v", name, got.Corpus)
		}
	}
	if _, again, _ := call(t, dir, line); again != first {
		t.Errorf("%s then %s", first, again)
	}
	e, err := clip.Open("random:"+filepath.Join(dir, "clip/config.json"), clip.Options{Text: true, Tokenizer: opened(t, filepath.Join(dir, "clip/merges.txt"))})
	if err != nil {
		t.Fatal(err)
	}
	var whole []*clip.Image // all at once and as they are in the files, in the order of the annotations
	for i := range 2 {
		im, err := clip.OpenImage(filepath.Join(dir, fmt.Sprintf("%d.png", i+1)))
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, im)
	}
	images, err := e.Encode(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	candidates, err := e.EncodeText(t.Context(), []string{eval.CLIPScorePrompt + "A dog runs.", eval.CLIPScorePrompt + "A red bus in the street."})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := eval.CLIPScore(images, candidates)
	if err != nil {
		t.Fatal(err)
	}
	if want := (scores[0] + scores[1]) / 2; got.Corpus["CLIPScore"] != want {
		t.Errorf("CLIPScore %v, want %v", got.Corpus["CLIPScore"], want)
	}
	broken := filepath.Join(dir, "2.png")
	if err := os.WriteFile(broken, []byte("\x89PNG\r\n\x1a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, out, errs := call(t, dir, line)
	if status != 1 || out != "" || !strings.Contains(errs, "image id 2: "+broken) {
		t.Errorf("a broken photo: %d, %q, %q", status, out, errs)
	}
}

func opened(t *testing.T, vocabulary string) *clip.Tokenizer {
	t.Helper()
	tokenizer, err := clip.OpenTokenizer(vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}
