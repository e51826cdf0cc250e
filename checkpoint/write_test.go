package checkpoint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// model is a random mapper of a kind and a random language model.
func model(t *testing.T, kind mapping.Kind) (mapping.Mapper, nn.Params, *gpt2.Model, nn.Params, Config) {
	t.Helper()
	c := Config{Config: mapping.Config{Kind: kind, Feature: 5, Dim: 16, PrefixLength: 3}, Normalize: true, CLIP: Source{Name: "ViT-B/32"},
		LM: gpt2.Config{Vocab: 11, Positions: 12, Dim: 16, Layers: 2, Heads: 4, Eps: 1e-5, InitRange: 0.02}, Training: json.RawMessage(`{"steps":3}`)}
	if kind == mapping.KindTransformer {
		c.ClipLength, c.Layers = 2, 1
	}
	m, err := mapping.New(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	lm, err := gpt2.New(c.LM)
	if err != nil {
		t.Fatal(err)
	}
	mp, err := nn.Collect(mapping.Prefix, m)
	if err != nil {
		t.Fatal(err)
	}
	lp, err := lm.Params("gpt.transformer")
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range append(slices.Clone(mp), lp...) {
		p.Normal(uint64(i), 1)
	}
	return m, mp, lm, lp, c
}

func equal(t *testing.T, got, want nn.Params) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d parameters, want %d", len(got), len(want))
	}
	for i, p := range want {
		if got[i].Name != p.Name || !slices.Equal(got[i].Data, p.Data) {
			t.Errorf("parameter %s came back as %s, with other numbers or in another order", p.Name, got[i].Name)
		}
	}
}

func TestWriteAndOpen(t *testing.T) {
	for _, kind := range []mapping.Kind{mapping.KindMLP, mapping.KindLinear, mapping.KindTransformer} {
		_, mp, _, lp, config := model(t, kind)
		for _, whole := range []bool{false, true} {
			lm := lp
			if !whole {
				lm = nil
			}
			dir := t.TempDir()
			if err := Write(dir, config, mp, lm); err != nil {
				t.Fatal(err)
			}
			c, err := Open(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.Original || !c.Config.Normalize || c.Config.CLIP.Name != "ViT-B/32" || (c.LM != nil) != whole || !strings.Contains(string(c.Config.Training), "steps") {
				t.Errorf("%s: configuration %+v, language model %v", kind, c.Config, c.LM != nil)
			}
			got, err := c.MapperParams()
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, mp)
			if whole {
				got, err := c.LM.Params("gpt.transformer")
				if err != nil {
					t.Fatal(err)
				}
				equal(t, got, lp)
			}
		}
	}
}

// A checkpoint written as the original's file has the original's names and opens like one.
func TestExport(t *testing.T) {
	_, mp, lm, lp, config := model(t, mapping.KindTransformer)
	dir := t.TempDir()
	if err := Write(dir, config, mp, nil); err != nil {
		t.Fatal(err)
	}
	c, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	pt := filepath.Join(dir, "deep", "model.pt")
	if err := c.Export(pt, nil); err == nil || !strings.Contains(err.Error(), "--gpt2") {
		t.Errorf("a mapper alone was exported: %v", err)
	}
	if err := c.Export(pt, lm); err != nil {
		t.Fatal(err)
	}
	s, err := weights.Open(pt)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, shape := range map[string][]int{"clip_project.prefix_const": {3, 16}, "gpt.lm_head.weight": {11, 16}, "gpt.transformer.h.1.attn.bias": {1, 1, 12, 12},
		"gpt.transformer.h.0.attn.masked_bias": {}, "gpt.transformer.h.0.attn.c_attn.weight": {16, 48}} {
		if x := s.Tensor(name); x == nil || !slices.Equal(x.Shape, shape) {
			t.Errorf("%s is %v, want shape %v", name, x, shape)
		}
	}
	mask := make([]int64, 144)
	if err := s.Tensor("gpt.transformer.h.0.attn.bias").ReadInt64(mask); err != nil || mask[0] != 1 || mask[1] != 0 || mask[12] != 1 || mask[143] != 1 {
		t.Errorf("the mask begins %v: %v", mask[:14], err)
	}
	again, err := Open(pt, &config.LM)
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.MapperParams()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, mp)
	if got, err = again.LM.Params("gpt.transformer"); err != nil {
		t.Fatal(err)
	}
	equal(t, got, lp)
}

func TestWriteRefuses(t *testing.T) {
	_, mp, _, _, config := model(t, mapping.KindMLP)
	if err := Write(filepath.Join(t.TempDir(), "none"), config, mp, nil); err == nil {
		t.Error("a checkpoint was written into a folder that is not there")
	}
	config.LM.Dim = 32
	dir := t.TempDir()
	if err := Write(dir, config, mp, nil); err == nil || !strings.Contains(err.Error(), "n_embd") {
		t.Errorf("a configuration that contradicts itself: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
