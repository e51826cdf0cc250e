package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// world is a folder with a tiny model, an image encoder, features and photos.
func world(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lm, err := gpt2.Published("gpt2")
	check(err)
	lm.Dim, lm.Layers, lm.Heads, lm.Positions, lm.InitRange = 8, 1, 1, 40, 0.5
	c := checkpoint.Config{Config: mapping.Config{Kind: mapping.KindMLP, Feature: 6, Dim: 8, PrefixLength: 2}, LM: lm}
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
		return weights.WriteNPY(w, weights.Floats("f", []int{3, 6}, []float32{1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1, 0, 0, 1, 0, 0, 1}, weights.F32))
	}))
	check(os.Mkdir(filepath.Join(dir, "photos"), 0o777))
	for i, name := range []string{"7.png", "8.png"} {
		im := image.NewGray(image.Rect(0, 0, 20+i, 30))
		for j := range im.Pix {
			im.Pix[j] = uint8(j * (i + 3))
		}
		var b bytes.Buffer
		check(png.Encode(&b, im))
		check(os.WriteFile(filepath.Join(dir, "photos", name), b.Bytes(), 0o666))
	}
	t.Chdir(dir)
	return dir
}

// call runs the command.
func call(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	status = program().Run(context.Background(), args, &out, &log)
	return status, out.String(), log.String()
}

func TestCaptions(t *testing.T) {
	world(t)
	features := []string{"--model", "model", "--features", "features.npy", "--max-tokens", "5"}
	status, out, log := call(t, append(features, "--json", "--n", "2", "--beam", "3")...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(lines) != 3 {
		t.Fatalf("status %d, %q, %q", status, out, log)
	}
	for i, text := range lines {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil || len(l.Captions) != 2 || l.Captions[0].Score < l.Captions[1].Score || l.Captions[0].Caption == "" {
			t.Errorf("line %d: %s, %v", i, text, err)
		}
	}
	if !strings.HasPrefix(lines[1], `{"image_id":1,"image":"1","captions":[{"caption":"`) {
		t.Errorf("line %s", lines[1])
	}
	for _, more := range [][]string{{"--decode", "greedy"}, {"--decode", "sample", "--n", "2", "--top-k", "5"}, {"--weights", "int8"}, {"--precision", "bfloat16"}} {
		if status, out, log := call(t, append(features, more...)...); status != 0 || strings.Count(out, "\n") < 3 {
			t.Errorf("%v: status %d, %q, %q", more, status, out, log)
		}
	}
	if status, out, _ := call(t, append(features, "--show-prefix", "--json")...); status != 0 || strings.Count(out, `"similarity"`) != 6 {
		t.Errorf("--show-prefix: status %d, %q", status, out)
	}
}

func TestImages(t *testing.T) {
	dir := world(t)
	args := []string{"--model", "model", "--clip", "random:clip.json", "--max-tokens", "4", "--json"}
	_, want, _ := call(t, append(args, "--images", "photos")...)
	if strings.Count(want, "\n") != 2 || !strings.Contains(want, `"image_id":8`) {
		t.Fatalf("--images photos: %q", want)
	}
	status, out, _ := call(t, append(args, "photos")...)
	if status != 0 || out != want {
		t.Errorf("a folder as argument: status %d, %q, want %q", status, out, want)
	}
	if err := os.WriteFile("list", []byte("photos/7.png\nphotos/none.png\nphotos/8.png\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	status, out, log := call(t, append(args, "--images", "list")...)
	if lines := strings.Split(out, "\n"); status != 1 || len(lines) != 4 || !strings.Contains(lines[1], `"error"`) || !strings.Contains(log, "1 of 3 images failed") {
		t.Errorf("a list with a missing file: status %d, %q, %q", status, out, log)
	}
	for _, name := range []string{"list", "photos/8.png"} { // through standard input
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		old := os.Stdin
		os.Stdin = f
		_, out, log := call(t, append(args, "-")...)
		os.Stdin = old
		f.Close()
		if !strings.Contains(out, "tokens") {
			t.Errorf("%s through standard input: %q, %q", name, out, log)
		}
	}
}

func TestMisuse(t *testing.T) {
	world(t)
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{2, "--model is missing", []string{"a.jpg"}},
		{2, "want one of", []string{"--model", "model"}},
		{2, "want one of", []string{"--model", "model", "--features", "features.npy", "a.jpg"}},
		{2, "--clip is for images", []string{"--model", "model", "--features", "features.npy", "--clip", "x"}},
		{2, "temperature is 0", []string{"--model", "model", "--features", "features.npy", "--temperature", "0"}},
		{2, "decode", []string{"--model", "model", "--features", "features.npy", "--decode", "dream"}},
		{1, "features: stat nowhere", []string{"--model", "model", "--features", "nowhere"}},
		{1, "nothing", []string{"--model", "nothing", "--features", "features.npy"}},
		{1, "name it", []string{"--model", "model", "photos/7.png"}},
		{1, "features of 512 numbers, but the mapper was trained on 6", []string{"--model", "model", "--clip", "ViT-B/32", "photos/7.png"}},
		{0, "Example", []string{"--help"}},
		{0, "clipcap-caption", []string{"--version"}},
	} {
		status, out, log := call(t, c.args...)
		if status != c.status || !strings.Contains(out+log, c.want) {
			t.Errorf("%v: status %d, %q, want %d with %q", c.args, status, out+log, c.status, c.want)
		}
	}
}
