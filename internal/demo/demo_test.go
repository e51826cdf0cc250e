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
)

// A world on disk is a COCO data set whose pictures make a sheet.
func TestWorldAndSheet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "train")
	if err := world(dir, rand.New(rand.NewPCG(1, 0)), 7, false); err != nil {
		t.Fatal(err)
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
		fmt.Fprintf(&lines, `{"image_id":%d,"image":%q,"captions":[{"caption":%q}]}`+"\n", img.ID, filepath.Join(dir, img.FileName), a.Annotations[5*i].Caption)
	}
	cells, err := readCells(strings.NewReader(lines.String()), 24)
	if err != nil {
		t.Fatal(err)
	}
	if len(cells) != 7 {
		t.Fatalf("%d pictures, want 7", len(cells))
	}
	if b := sheet(cells).Bounds(); b.Dx() != columns*cellWidth || b.Dy() != 2*cellHeight {
		t.Errorf("sheet is %v", b)
	}
	if _, err := readCells(strings.NewReader(`{"image":"missing.png","captions":[{"caption":"a"}]}`), 1); err == nil {
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
		{"one two three four five six seven", []string{"one two", "three", "four …"}},
	} {
		if got := wrap(c.text, 7); !slices.Equal(got, c.want) {
			t.Errorf("wrap(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}
