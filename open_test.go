package clipcap

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

func TestOpenErrors(t *testing.T) {
	ctx := context.Background()
	whole, alone := tinyCheckpoint(t, true, nil), tinyCheckpoint(t, false, nil)
	features := Options{FeaturesOnly: true, Decode: short()}
	with := func(change func(o *Options)) Options { o := features; change(&o); return o }
	yes := true
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{whole, Options{Decode: short()}, "--clip"},
		{whole, Options{Decode: short(), CLIP: tinyCLIP(t, 8)}, "features of 8 numbers, but the mapper was trained on 12"},
		{whole, Options{Decode: short(), CLIP: "ViT-B/32"}, "features of 512"},
		{alone, features, "needs the language model"},
		{alone, with(func(o *Options) { o.GPT2 = "random:gpt2" }), "width 16"},
		{whole, with(func(o *Options) { o.Decode.MaxTokens = 63 }), "64 positions"},
		{whole, with(func(o *Options) { o.Normalize = &yes }), "trained with normalize false"},
		{whole, with(func(o *Options) { o.Stop = "60000" }), "stop token 60000"},
		{whole, with(func(o *Options) { o.Stop = "6000000000" }), "stop token 6000000000"},
		{filepath.Join(whole, "none"), features, "none"},
	} {
		_, err := Open(ctx, c.name, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("want an error with %q, got %v", c.want, err)
		}
	}
	var width *WidthError
	if _, err := Open(ctx, whole, Options{Decode: short(), CLIP: tinyCLIP(t, 8)}); !errors.As(err, &width) || width.Got != 8 {
		t.Errorf("error %v is no WidthError", err)
	}
	var none *NoLanguageModelError
	if _, err := Open(ctx, alone, features); !errors.As(err, &none) {
		t.Errorf("error %v is no NoLanguageModelError", err)
	}
	for width, want := range map[int]string{512: "ViT-B/32", 640: "RN50x4", 768: "ViT-L/14", 1024: "RN50 "} {
		if text := (&WidthError{Want: width, Got: 1}).Error(); !strings.Contains(text, want) {
			t.Errorf("width %d: %q names no %s", width, text, want)
		}
	}
	m, err := Open(ctx, whole, features)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Caption(ctx, photos(1)...); !errors.Is(err, ErrNoCLIP) {
		t.Errorf("images for a model of features: error %v", err)
	}
	for _, err := range m.CaptionFeatures(ctx, one(make([]float32, 5))) {
		if !errors.As(err, &width) || width.Got != 5 {
			t.Errorf("features of 5 numbers: error %v", err)
		}
	}
}

// TestNormalize: with it a feature's length does not matter, without it does.
func TestNormalize(t *testing.T) {
	ctx := context.Background()
	for _, on := range []bool{false, true} {
		m, err := Open(ctx, tinyCheckpoint(t, true, func(c *checkpoint.Config) { c.Normalize = on }), Options{FeaturesOnly: true, Decode: short()})
		if err != nil {
			t.Fatal(err)
		}
		var scores []float64
		for _, scale := range []float32{1, 8} {
			f := make([]float32, 12)
			for i := range f {
				f[i] = scale * float32(i-4)
			}
			for c, err := range m.CaptionFeatures(ctx, one(f)) {
				if err != nil {
					t.Fatal(err)
				}
				scores = append(scores, c[0].Score)
			}
		}
		if same := math.Abs(scores[0]-scores[1]) < 1e-5; same != on {
			t.Errorf("normalize %v: scores %v", on, scores)
		}
	}
	zero := make([]float32, 3)
	if normalize(zero); zero[0] != 0 {
		t.Error("a feature of zeros becomes", zero)
	}
}

// TestOriginals opens files of the original with a random encoder of their width.
func TestOriginals(t *testing.T) {
	ctx := context.Background()
	const dir = "models/weights/"
	lm, width := testkit.Golden(t, dir+"gpt2"), testkit.GoldenModels(t).Embed
	for _, file := range []string{"mlp_weights.pt", "mlp_mapper_only.pt", "transformer_weights.pt", "linear_mapper_only.pt"} {
		o := Options{GPT2: lm, CLIP: tinyCLIP(t, width), Decode: short()}
		m, err := Open(ctx, testkit.Golden(t, dir+"clipcap/"+file), o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Caption(ctx, photos(2)...)
		if err != nil || len(got[1][0].Tokens) == 0 || got[1][0].Text != "" || !m.Original() {
			t.Errorf("%s: %v, %v", file, got, err)
		}
	}
}

// TestWeightsAreKeptOnce: a model that is opened keeps the weights of products in one form alone, and writes the captions that a decoder with
// all of them on the host writes.
func TestWeightsAreKeptOnce(t *testing.T) {
	ctx := context.Background()
	dir := tinyCheckpoint(t, true, nil)
	feature := []float32{1, -2, 3, 0, 1, 0, -1, 2, 0, 1, 1, 1}
	for _, format := range []nn.WeightFormat{nn.WeightsFloat32, nn.WeightsBFloat16, nn.WeightsInt8} {
		m, err := Open(ctx, dir, Options{FeaturesOnly: true, Decode: short(), Weights: format, Precision: nn.Float32})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*nn.Param{m.lm.Tokens.Weight, m.lm.Blocks[0].Attn.QKV.Weight, m.checkpoint.Mapper.(*mapping.MLP).Out.Weight} {
			if p.Data != nil {
				t.Errorf("%s is still on the host", p.Name)
			}
		}
		if format != nn.WeightsFloat32 {
			continue // the embeddings are rounded too, here alone
		}
		c, err := checkpoint.Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.LM.Params("gpt.transformer"); err != nil {
			t.Fatal(err)
		}
		prompt, err := func() (gpt2.Prompt, error) {
			w, err := m.worker()
			if err != nil {
				return gpt2.Prompt{}, err
			}
			defer m.release(w)
			all, err := w.mapped(ctx, [][]float32{feature})
			return all[0], err
		}()
		if err != nil {
			t.Fatal(err)
		}
		d, err := gpt2.NewDecoder(c.LM, nn.NewCPUWeights(nn.Float32, format), short(), m.longest())
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var want []gpt2.Caption
		for captions, err := range d.Decode(ctx, func(yield func(gpt2.Prompt, error) bool) { yield(prompt, nil) }) {
			if err != nil {
				t.Fatal(err)
			}
			want = captions
		}
		for got, err := range m.CaptionFeatures(ctx, one(feature)) {
			if err != nil || !reflect.DeepEqual(got[0].Tokens, want[0].Tokens) || got[0].Score != want[0].Score {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
		}
	}
}
