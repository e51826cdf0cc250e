package clip

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/clipcap-go/clipcap/nn"
)

const tinyViT = `{"embed_dim": 24, "quick_gelu": true,
	"vision_cfg": {"image_size": 20, "layers": 2, "width": 32, "patch_size": 5, "head_width": 8},
	"text_cfg": {"context_length": 7, "vocab_size": 11, "width": 16, "heads": 2, "layers": 2}}`

const tinyResNet = `{"embed_dim": 24, "quick_gelu": true,
	"vision_cfg": {"image_size": 64, "layers": [1, 2, 1, 1], "width": 4, "heads": 2}}`

// newEncoder is an encoder of a model that keeps its weights.
func newEncoder(m *Model, o Options) (*Encoder, error) {
	backend, err := o.Device.OpenInference(o.Precision)
	if err != nil {
		return nil, err
	}
	return encoderOn(backend, m, o), nil
}

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

func TestConfigJSON(t *testing.T) {
	c, err := Published("RN50x4")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	back, err := parseConfig(text)
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
