package clipcap

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/testkit"
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

func TestCaption(t *testing.T) {
	ctx := context.Background()
	m, err := Open(ctx, tinyCheckpoint(t, true, nil), Options{CLIP: tinyCLIP(t, 12), Decode: short()})
	if err != nil {
		t.Fatal(err)
	}
	images := photos(7)
	want, err := m.Caption(ctx, images...)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 7 || len(want[0]) != 1 || want[0][0].Text == "" || !(want[0][0].Score < 0) {
		t.Fatalf("captions %+v", want)
	}
	tokenizer, err := gpt2.DefaultTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := tokenizer.Decode(want[2][0].Tokens); err != nil || gpt2.CleanUp(text) != want[2][0].Text {
		t.Errorf("caption %q, but its tokens say %q, %v", want[2][0].Text, text, err)
	}

	// One at a time, from several callers, the captions are the same.
	var group sync.WaitGroup
	for i := range images {
		group.Go(func() {
			got, err := m.Caption(ctx, images[i])
			if err != nil || !reflect.DeepEqual(got[0], want[i]) {
				t.Errorf("image %d alone: %v, %v, want %v", i, got, err, want[i])
			}
		})
	}
	group.Wait()

	// A stream keeps its order, and an error its place.
	broken := errors.New("torn")
	stream := func(yield func(image.Image, error) bool) {
		_ = yield(images[0], nil) && yield(nil, broken) && yield(image.NewRGBA(image.Rectangle{}), nil) && yield(images[1], nil)
	}
	n := 0
	for got, err := range m.CaptionAll(ctx, stream) {
		switch n {
		case 0, 3:
			if err != nil || !reflect.DeepEqual(got, want[n/3]) {
				t.Errorf("image %d of the stream: %v, %v", n, got, err)
			}
		case 1:
			if !errors.Is(err, broken) {
				t.Errorf("image 1 of the stream: error %v", err)
			}
		case 2:
			if err == nil {
				t.Error("an empty image has a caption")
			}
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d results for 4 images", n)
	}
	for range m.CaptionAll(ctx, stream) {
		break // leaving early is fine
	}
	if none, err := m.Caption(ctx); err != nil || len(none) != 0 {
		t.Errorf("no images: %v, %v", none, err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Caption(stopped, images...); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: error %v", err)
	}
}

func TestPrompt(t *testing.T) {
	ctx := context.Background()
	o := Options{FeaturesOnly: true, Decode: short(), Prompt: "A photo of", Stop: " dog."}
	m, err := Open(ctx, tinyCheckpoint(t, true, nil), o)
	if err != nil {
		t.Fatal(err)
	}
	if m.options.Decode.Stop != 3290 { // " dog"
		t.Errorf("the stop token is %d, want 3290", m.options.Decode.Stop)
	}
	for got, err := range m.CaptionFeatures(ctx, one(make([]float32, 12))) {
		if err != nil || !strings.HasPrefix(got[0].Text, "A photo of") || len(got[0].Tokens) > 3+6 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func one(f []float32) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) { yield(f, nil) }
}

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

func TestPrefixWords(t *testing.T) {
	ctx := context.Background()
	m, err := Open(ctx, tinyCheckpoint(t, true, nil), Options{FeaturesOnly: true, Decode: short()})
	if err != nil {
		t.Fatal(err)
	}
	// The rows of a prefix that is made of embeddings are those words.
	var prefix []float32
	for _, id := range []int{13, 50256, 0} {
		row := make([]float32, 16)
		if err := m.lm.Tokens.Weight.Rows(row, id); err != nil {
			t.Fatal(err)
		}
		for _, x := range row {
			prefix = append(prefix, 3*x)
		}
	}
	words, err := m.nearest(prefix)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Word{{".", 13, 1}, {"<|endoftext|>", 50256, 1}, {"!", 0, 1}} {
		if w := words[i]; w.Text != want.Text || w.Token != want.Token || math.Abs(w.Similarity-1) > 1e-6 {
			t.Errorf("row %d: %+v, want %+v", i, w, want)
		}
	}
	for words, err := range m.PrefixWords(ctx, one([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})) {
		if err != nil || len(words) != 3 {
			t.Errorf("%v, %v", words, err)
		}
	}
}

// TestOriginals opens files of the original with a random encoder of their width.
func TestOriginals(t *testing.T) {
	ctx := context.Background()
	const dir = "models/weights/"
	lm := testkit.Golden(t, dir+"gpt2")
	for _, file := range []string{"mlp_weights.pt", "mlp_mapper_only.pt", "transformer_weights.pt", "linear_mapper_only.pt"} {
		o := Options{GPT2: lm, CLIP: tinyCLIP(t, 64), Decode: short()}
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

func TestBatched(t *testing.T) {
	bad := errors.New("bad")
	in := func(yield func(int, error) bool) {
		for i := range 7 {
			var err error
			if i == 2 || i == 3 {
				err = bad
			}
			if !yield(i, err) {
				return
			}
		}
	}
	for _, n := range []int{1, 2, 3, 100} {
		i := 0
		for v, err := range batched(in, n, func(x []int) ([]int, error) {
			out := make([]int, len(x))
			for i := range x {
				out[i] = 10 * x[i]
			}
			return out, nil
		}) {
			if i == 2 || i == 3 {
				if !errors.Is(err, bad) {
					t.Errorf("batches of %d: place %d has error %v", n, i, err)
				}
			} else if err != nil || v != 10*i {
				t.Errorf("batches of %d: place %d is %d, %v", n, i, v, err)
			}
			i++
		}
		if i != 7 {
			t.Errorf("batches of %d: %d values", n, i)
		}
		for _, err := range batched(in, n, func([]int) ([]int, error) { return nil, bad }) {
			if !errors.Is(err, bad) {
				t.Error("the error of a batch is lost")
			}
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
