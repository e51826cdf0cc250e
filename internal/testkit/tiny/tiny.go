// Package tiny writes models and images for the tests of commands: as small as they can be, and whole.
package tiny

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// Dim is the width of Features, and of what the encoder of clip.json gives.
const Dim = 6

// Features are what features.npy holds, [3, Dim].
var Features = []float32{1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1, 0, 0, 1, 0, 0, 1}

// World writes into dir: model, a checkpoint with an MLP mapper and a GPT-2 of one layer of width 8; clip.json, the
// configuration of an encoder of its features; features.npy; and photos with images of those names, each a little wider than the one before.
func World(t testing.TB, dir string, photos ...string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lm, err := gpt2.Published("gpt2")
	check(err)
	lm.Dim, lm.Layers, lm.Heads, lm.Positions, lm.InitRange = 8, 1, 1, 40, 0.5
	c := checkpoint.Config{Config: mapping.Config{Kind: mapping.KindMLP, Feature: Dim, Dim: 8, PrefixLength: 2}, LM: lm}
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
		return weights.WriteNPY(w, weights.Floats("f", []int{len(Features) / Dim, Dim}, Features, weights.F32))
	}))
	check(os.Mkdir(filepath.Join(dir, "photos"), 0o777))
	for i, name := range photos {
		im := image.NewGray(image.Rect(0, 0, 20+i, 30))
		for j := range im.Pix {
			im.Pix[j] = uint8(j * (i + 3))
		}
		var b bytes.Buffer
		check(png.Encode(&b, im))
		check(os.WriteFile(filepath.Join(dir, "photos", name), b.Bytes(), 0o666))
	}
}
