package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/gpt2"
)

// A world on disk is a COCO data set whose pictures make a sheet.
func TestWorldAndSheet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "train")
	captions, err := world(dir, rand.New(rand.NewPCG(1, 0)), 7, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(captions) != 35 {
		t.Fatalf("%d captions, want 35", len(captions))
	}
	text, err := os.ReadFile(dir + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var a annotations
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	if len(a.Images) != 7 || len(a.Annotations) != 35 {
		t.Fatalf("%d images with %d captions, want 7 with 35", len(a.Images), len(a.Annotations))
	}
	var lines strings.Builder
	for i, img := range a.Images {
		fmt.Fprintf(&lines, `{"image_id":%d,"image":%q,"captions":[{"caption":%q}]}`+"\n", img.ID, img.FileName, a.Annotations[5*i].Caption)
	}
	truth, err := readTruth(dir + ".json")
	if err != nil {
		t.Fatal(err)
	}
	right, err := check(strings.NewReader(lines.String()), truth)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range right {
		if r.right != r.of {
			t.Errorf("of a scene's own captions %d of %d are right in %s", r.right, r.of, r.name)
		}
	}
	wrong, err := check(strings.NewReader(`{"image":"00000.png","captions":[{"caption":"A dog."}]}`), truth)
	if err != nil {
		t.Fatal(err)
	}
	if wrong[0] != (row{"colours", 0, 1}) || wrong[1] != (row{"shapes", 0, 1}) {
		t.Errorf("a caption of something else: %v", wrong)
	}
	for _, bad := range []string{"{", `{"image":"00009.png","captions":[{"caption":"a"}]}`, `{"image":"00000.png"}`} {
		if _, err := check(strings.NewReader(bad), truth); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	cells, err := readCells(strings.NewReader(lines.String()), dir, 24)
	if err != nil {
		t.Fatal(err)
	}
	if len(cells) != 7 {
		t.Fatalf("%d pictures, want 7", len(cells))
	}
	if b := sheet(cells).Bounds(); b.Dx() != columns*cellWidth || b.Dy() != 2*cellHeight {
		t.Errorf("sheet is %v", b)
	}
	if _, err := readCells(strings.NewReader(`{"image":"missing.png","captions":[{"caption":"a"}]}`), dir, 1); err == nil {
		t.Error("a missing picture is no error")
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"a red circle", []string{"a red", "circle"}},
		{"one two three four five six seven", []string{"one two", "three", "four ..."}},
	} {
		if got := wrap(c.text, 7); !slices.Equal(got, c.want) {
			t.Errorf("wrap(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

// The words of the captions are a token each, in GPT-2's file format, and every other text is written in bytes.
func TestVocabulary(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gpt2")
	captions := []string{"A red star on pink.", "There are three small red stars."}
	if err := languageModel(dir, captions); err != nil {
		t.Fatal(err)
	}
	tok, err := gpt2.OpenTokenizer(dir)
	if err != nil {
		t.Fatal(err)
	}
	for text, tokens := range map[string]int{captions[0]: 6, captions[1]: 7, "A red dog.": 7, "Théo": 4} {
		ids := tok.Encode(text)
		if len(ids) != tokens {
			t.Errorf("%q has %d tokens, want %d", text, len(ids), tokens)
		}
		if back, err := tok.Decode(ids); err != nil || back != text {
			t.Errorf("%q comes back as %q, %v", text, back, err)
		}
	}
	f, err := os.Open(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := gpt2.ReadConfig(f)
	if err != nil || c.Vocab != tok.VocabSize() {
		t.Errorf("the configuration has %d tokens, the vocabulary %d (%v)", c.Vocab, tok.VocabSize(), err)
	}
}

// The encoder opens as any of open_clip's does.
func TestEncoder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "clip")
	if err := encoder(dir, 1); err != nil {
		t.Fatal(err)
	}
	e, err := clip.Open(dir, clip.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Dim() != 1024 {
		t.Errorf("features of width %d, want 1024", e.Dim())
	}
}
