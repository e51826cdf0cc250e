package clip

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
)

const tinyViT = `{"embed_dim": 24, "quick_gelu": true,
	"vision_cfg": {"image_size": 20, "layers": 2, "width": 32, "patch_size": 5, "head_width": 8},
	"text_cfg": {"context_length": 7, "vocab_size": 11, "width": 16, "heads": 2, "layers": 2}}`

const tinyResNet = `{"embed_dim": 24, "quick_gelu": true,
	"vision_cfg": {"image_size": 64, "layers": [1, 2, 1, 1], "width": 4, "heads": 2}}`

// tiny opens a random model of the given configuration.
func tiny(t testing.TB, config string, o Options) *Encoder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := random(nil, path, o.Seed, o.Text) // its weights stay where tests can look at them
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEncoder(m, o)
	if err != nil {
		t.Fatal(err)
	}
	if r := m.ResNet; r != nil { // blocks begin as the identity: give them something to do
		for _, b := range r.Stage1 {
			for i := range b.out.weight.Data {
				b.out.weight.Data[i] = float32(i%7-3) / 8
			}
		}
	}
	return e
}

func picture(w, h int, seed uint64) *Image {
	r := rand.New(rand.NewPCG(seed, 7))
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.NRGBA{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), 255})
		}
	}
	return FromImage(m)
}

// TestEncodeDoesNotDependOnTheBatch: whatever stands beside an image, and whoever else encodes, its feature is the same,
// bit for bit.
func TestEncodeDoesNotDependOnTheBatch(t *testing.T) {
	for _, c := range []struct {
		config string
		p      nn.Precision
	}{{tinyViT, nn.Float32}, {tinyResNet, nn.Float32}, {tinyResNet, nn.BFloat16}} {
		e := tiny(t, c.config, Options{Batch: 3, Precision: c.p})
		var images []*Image
		for i := range 7 {
			images = append(images, picture(17+5*i, 40-3*i, uint64(i)))
		}
		all, err := e.Encode(context.Background(), images)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for i, im := range images {
			group.Go(func() {
				one, err := e.Encode(context.Background(), []*Image{im})
				if err != nil {
					t.Error(err)
				} else if !slices.Equal(one[0], all[i]) {
					t.Errorf("image %d alone differs from image %d in a batch", i, i)
				}
				pixels, err := Pixels(im, e.ImageSize())
				if err != nil {
					t.Error(err)
				} else if one, err = e.EncodePixels(context.Background(), pixels); err != nil || !slices.Equal(one[0], all[i]) {
					t.Errorf("image %d as float32 pixels differs from itself (%v)", i, err)
				}
			})
		}
		group.Wait()
		if slices.Equal(all[0], all[1]) {
			t.Error("two images have one feature")
		}
		if none, err := e.Encode(context.Background(), nil); err != nil || len(none) != 0 {
			t.Errorf("no images: %v, %v", none, err)
		}
	}
}

// TestTokens: the first of an image's tokens is its feature.
func TestTokens(t *testing.T) {
	e := tiny(t, tinyViT, Options{})
	images := []*Image{picture(30, 20, 1), picture(20, 31, 2)}
	features, err := e.Encode(context.Background(), images)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := e.EncodeTokens(context.Background(), images)
	if err != nil {
		t.Fatal(err)
	}
	for i := range images {
		if len(tokens[i]) != (1+16)*24 {
			t.Fatalf("%d numbers, want 17 rows of 24", len(tokens[i]))
		}
		if d := apart(t, tokens[i][:24], features[i]); d > 1e-5 {
			t.Errorf("image %d: row 0 is %g from the feature", i, d)
		}
	}
	if _, err := tiny(t, tinyResNet, Options{}).EncodeTokens(context.Background(), images); err == nil {
		t.Error("a ResNet gave tokens")
	}
}

// TestTextEndsAtItsEndToken: what follows the largest id does not count.
func TestTextEndsAtItsEndToken(t *testing.T) {
	e := tiny(t, tinyViT, Options{Text: true, Batch: 2})
	got, err := e.EncodeIDs(context.Background(), [][]int32{{1, 2, 10, 0, 0, 0, 0}, {1, 2, 10}, {1, 2, 10, 5}, {1, 3, 10}, {4}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got[0], got[1]) || !slices.Equal(got[0], got[2]) {
		t.Error("padding changes a text's feature")
	}
	if slices.Equal(got[0], got[3]) {
		t.Error("two texts have one feature")
	}
	for _, bad := range [][]int32{{}, {11}, {-1}, {1, 2, 3, 4, 5, 6, 7, 8}} {
		if _, err := e.EncodeIDs(context.Background(), [][]int32{bad}); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if _, err := e.EncodeText(context.Background(), []string{"a"}); err == nil {
		t.Error("EncodeText without a tokenizer gave no error")
	}
	if _, err := tiny(t, tinyViT, Options{}).EncodeIDs(context.Background(), [][]int32{{1}}); err == nil {
		t.Error("texts without a text encoder gave no error")
	}
}

func TestEncodeStops(t *testing.T) {
	e := tiny(t, tinyViT, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Encode(ctx, []*Image{picture(9, 9, 1)}); err == nil {
		t.Error("a cancelled context gave no error")
	}
	if _, err := e.Encode(context.Background(), []*Image{nil}); err == nil {
		t.Error("a nil image gave no error")
	}
	if _, err := e.EncodeSquares(context.Background(), [][]byte{make([]byte, 5)}); err == nil {
		t.Error("a square of 5 bytes gave no error")
	}
	if _, err := e.EncodePixels(context.Background(), make([]float32, 5)); err == nil {
		t.Error("5 pixels gave no error")
	}
}

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

// TestGoldenPixels: the normalised tensor is PyTorch's bit for bit, given the same square.
func TestGoldenPixels(t *testing.T) {
	want := array(t, testkit.Golden(t, "models/images/jpeg420.jpg.224.tensor.npy"))
	raw, err := os.ReadFile(testkit.Golden(t, "models/images/jpeg420.jpg.224.npy"))
	if err != nil {
		t.Fatal(err)
	}
	square := raw[len(raw)-3*224*224:]
	v := VisionConfig{ImageSize: 224, Stages: []int{1, 1, 1, 1}}
	got := make([]float32, len(square))
	v.arrange(got, square)
	for i, w := range want {
		if g := got[3*(i%(224*224))+i/(224*224)]; g != w {
			t.Fatalf("number %d is %v, want %v", i, g, w)
		}
	}
}

// TestArrange: patches from bytes and from floats agree.
func TestArrange(t *testing.T) {
	v := VisionConfig{ImageSize: 6, Patch: 2}
	square := make([]byte, 3*36)
	pixels := make([]float32, 3*36)
	for i := range square {
		square[i] = byte(i * 37)
		pixels[i%3*36+i/3] = normalised[i%3][square[i]]
	}
	a, b := make([]float32, 108), make([]float32, 108)
	v.arrange(a, square)
	v.arrangePixels(b, pixels)
	if !slices.Equal(a, b) {
		t.Errorf("bytes give %v, floats %v", a, b)
	}
	// Patch 4 (row 1, column 1), channel 2, its pixel (1, 0): image pixel x 2, y 3.
	if at := 4*12 + 2*4 + 2; a[at] != pixels[2*36+3*6+2] {
		t.Errorf("number %d is %v, want %v", at, a[at], pixels[2*36+3*6+2])
	}
}

func TestConfigJSON(t *testing.T) {
	c, err := Published("RN50x4")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseConfig(text)
	if err != nil || !bytes.Equal(must(json.Marshal(back)), text) {
		t.Errorf("%s came back as %+v (%v)", text, back, err)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
