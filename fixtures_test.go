package clipcap

import (
	"encoding/json"
	"image"
	"image/color"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// tinyLM is a language model's configuration with the published vocabulary.
func tinyLM() gpt2.Config {
	c, _ := gpt2.Published("gpt2")
	c.Dim, c.Layers, c.Heads, c.Positions, c.InitRange = 16, 1, 2, 64, 0.3
	return c
}

// tinyCLIP is a random image encoder's name.
func tinyCLIP(t *testing.T, dim int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.json")
	text, err := json.Marshal(map[string]any{"embed_dim": dim, "quick_gelu": true,
		"vision_cfg": map[string]any{"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
		"text_cfg":   map[string]any{"context_length": 8, "vocab_size": 50, "width": 64, "heads": 1, "layers": 1}})
	if err == nil {
		err = os.WriteFile(path, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "random:" + path
}

// tinyCheckpoint writes a random checkpoint, whole or the mapper alone.
func tinyCheckpoint(t *testing.T, whole bool, change func(c *checkpoint.Config)) string {
	t.Helper()
	c := checkpoint.Config{Config: mapping.Config{Kind: mapping.KindMLP, Feature: 12, Dim: 16, PrefixLength: 3}, LM: tinyLM()}
	if change != nil {
		change(&c)
	}
	m, err := mapping.New(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	params, err := nn.Collect(mapping.Prefix, m)
	if err != nil {
		t.Fatal(err)
	}
	m.Init(3)
	var lm nn.Params
	if whole {
		g, err := gpt2.New(c.LM)
		if err != nil {
			t.Fatal(err)
		}
		if lm, err = g.Params("gpt.transformer"); err != nil {
			t.Fatal(err)
		}
		g.Init(4)
	}
	dir := t.TempDir()
	if err := checkpoint.Write(dir, c, params, lm); err != nil {
		t.Fatal(err)
	}
	return dir
}

// photos are images of noise of several sizes.
func photos(n int) []image.Image {
	r := rand.New(rand.NewPCG(1, 1))
	list := make([]image.Image, n)
	for i := range list {
		m := image.NewRGBA(image.Rect(0, 0, 20+7*i, 40-3*i))
		for y := range m.Rect.Dy() {
			for x := range m.Rect.Dx() {
				m.Set(x, y, color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255})
			}
		}
		list[i] = m
	}
	return list
}

func short() gpt2.Options {
	o := gpt2.DefaultOptions()
	o.MaxTokens, o.Batch = 6, 3
	return o
}

func one(f []float32) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) { yield(f, nil) }
}
