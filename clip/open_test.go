package clip

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestRandom: the numbers a model starts from follow from the seed and have the deviations of openai/CLIP's
// initialize_parameters.
func TestRandom(t *testing.T) {
	deviation := func(p []float32) float64 {
		var s float64
		for _, v := range p {
			s += float64(v) * float64(v)
		}
		return math.Sqrt(s / float64(len(p)))
	}
	const config = `{"embed_dim": 64, "vision_cfg": {"image_size": 32, "layers": 2, "width": 128, "patch_size": 8},
		"text_cfg": {"context_length": 77, "vocab_size": 500, "width": 128, "layers": 3}}`
	a := tiny(t, config, Options{Text: true, Seed: 5}).model
	if a.Config.Activation != GELU {
		t.Errorf("activation %q of a configuration that names none, want open_clip's gelu", a.Config.Activation)
	}
	v, x := a.ViT, a.Text
	third := 1 / math.Sqrt(3) // of a uniform distribution, over its bound
	for _, c := range []struct {
		name string
		data []float32
		want float64
	}{
		{"class_embedding", v.Class.Data, 1 / math.Sqrt(128)},
		{"proj", v.Proj.Data, 1 / math.Sqrt(128)},
		{"conv1", v.Conv1.Data, third / math.Sqrt(3*8*8)},
		{"visual in_proj", v.Layers.Blocks[0].Attn.Weight.Data, third * math.Sqrt(6.0/(4*128))},
		{"visual c_proj", v.Layers.Blocks[1].Down.Weight.Data, third / math.Sqrt(4*128)},
		{"visual c_proj bias", v.Layers.Blocks[1].Down.Bias.Data, third / math.Sqrt(4*128)},
		{"tokens", x.Tokens.Weight.Data, 0.02},
		{"positions", x.Positions.Data, 0.01},
		{"text in_proj", x.Layers.Blocks[0].Attn.Weight.Data, 1 / math.Sqrt(128)},
		{"text out_proj", x.Layers.Blocks[0].Attn.Out.Weight.Data, 1 / math.Sqrt(128*6)},
		{"text c_fc", x.Layers.Blocks[2].Up.Weight.Data, 1 / math.Sqrt(256)},
		{"text c_proj", x.Layers.Blocks[2].Down.Weight.Data, 1 / math.Sqrt(128*6)},
		{"text_projection", x.Proj.Data, 1 / math.Sqrt(128)},
	} {
		if got := deviation(c.data); math.Abs(got/c.want-1) > 0.2 {
			t.Errorf("%s: deviation %.4f, want %.4f", c.name, got, c.want)
		}
	}
	if s := x.Scale.Data[0]; math.Abs(float64(s)-2.6593) > 1e-4 {
		t.Errorf("logit_scale %v, want ln(1/0.07)", s)
	}
	if v.NormPre.Gain.Data[3] != 1 || v.NormPre.Bias.Data[3] != 0 || x.Layers.Blocks[0].Attn.Bias.Data[0] != 0 {
		t.Error("norms and projection biases do not start at 1 and 0")
	}
	b, other := tiny(t, config, Options{Text: true, Seed: 5}).model, tiny(t, config, Options{Text: true, Seed: 6}).model
	if !slices.Equal(a.ViT.Proj.Data, b.ViT.Proj.Data) || slices.Equal(a.ViT.Proj.Data, other.ViT.Proj.Data) {
		t.Error("the seed does not decide the weights")
	}
	r := tiny(t, tinyResNet, Options{}).model.ResNet
	if d := deviation(r.Pool.Query.Weight.Data); math.Abs(d*math.Sqrt(128)-1) > 0.2 {
		t.Errorf("attnpool.q_proj: deviation %v, want 1/√128", d)
	}
}

// TestWeightsAreKeptOnce: an opened encoder gives its weights to the backend, and the features are the same bits.
func TestWeightsAreKeptOnce(t *testing.T) {
	dir := t.TempDir()
	const vit = `{"embed_dim": 64, "vision_cfg": {"image_size": 32, "layers": 2, "width": 128, "patch_size": 8},
		"text_cfg": {"context_length": 77, "vocab_size": 500, "width": 128, "layers": 3}}`
	for name, c := range map[string]struct {
		config string
		text   bool
	}{"vit": {vit, true}, "resnet": {tinyResNet, false}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.config), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := random(nil, path, 3, c.text)
		if err != nil {
			t.Fatal(err)
		}
		loose, err := newEncoder(m, Options{Text: c.text})
		if err != nil {
			t.Fatal(err)
		}
		held, err := Open("random:"+path, Options{Text: c.text, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		images := []*Image{picture(40, 30, 1), picture(33, 50, 2)}
		ctx := context.Background()
		want, err := loose.Encode(ctx, images)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := held.Encode(ctx, images); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: features differ, %v", name, err)
		}
		if c.text {
			ids := [][]int32{{498, 3, 4, 499}}
			want, err := loose.EncodeIDs(ctx, ids)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := held.EncodeIDs(ctx, ids); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: features of texts differ, %v", name, err)
			}
			rows, err := loose.EncodeTokens(ctx, images)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := held.EncodeTokens(ctx, images); err != nil || !reflect.DeepEqual(got, rows) {
				t.Errorf("%s: rows of images differ, %v", name, err)
			}
		}
		kept, all := 0, 0
		params, err := held.model.Params()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range params {
			if len(p.Shape) > 1 && !strings.Contains(p.Name, "token_embedding") {
				all++
				if p.Data != nil {
					kept++
				}
			}
		}
		if all == 0 || kept > 4 { // positions, and the last layers' projections, which are also used in parts
			t.Errorf("%s: %d of %d matrices are kept beside their packed form", name, kept, all)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"no-json":  "{",
		"no-clip":  `{"n_embd": 3}`,
		"huge":     `{"embed_dim": 1000000, "vision_cfg": {"image_size": 224, "layers": 12, "width": 1000000, "patch_size": 32, "head_width": 64}}`,
		"crooked":  `{"embed_dim": 8, "vision_cfg": {"image_size": 225, "layers": 12, "width": 64, "patch_size": 32}}`,
		"negative": `{"embed_dim": 8, "vision_cfg": {"image_size": 224, "layers": -1, "width": 64, "patch_size": 32}}`,
	} {
		path := filepath.Join(dir, name+".json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open("random:"+path, Options{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that names the file", name, err)
		}
	}
	for _, name := range []string{"random:nothing", filepath.Join(dir, "nothing.pt"), filepath.Join(dir, "crooked.json")} {
		if _, err := Open(name, Options{}); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
}
