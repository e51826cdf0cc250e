package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/internal/testkit/tiny"
	"github.com/clipcap-go/clipcap/weights"
)

// world is a folder with a tiny model, an image encoder, features and photos; the test runs in it.
func world(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tiny.World(t, dir, "7.png", "8.png")
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

// TestLines: a caption is a line, also one that holds line ends; JSON keeps them.
func TestLines(t *testing.T) {
	world(t)
	args := []string{"--model", "model", "--features", "features.npy", "--max-tokens", "2", "--prompt", "one\ntwo\tx"}
	if status, out, log := call(t, args...); status != 0 || strings.Count(out, "\n") != 3 || !strings.HasPrefix(out, "0\tone two x") {
		t.Errorf("status %d, %q, %q", status, out, log)
	}
	if _, out, _ := call(t, append(args, "--json")...); !strings.Contains(out, `"caption":"one\ntwo\tx`) {
		t.Errorf("%q", out)
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

// TestNames holds that lines can be told apart: those of several folders, and names that would break a line.
func TestNames(t *testing.T) {
	world(t)
	args := []string{"--model", "model", "--clip", "random:clip.json", "--max-tokens", "4"}
	if err := os.CopyFS("more", os.DirFS("photos")); err != nil {
		t.Fatal(err)
	}
	status, out, log := call(t, append(args, "photos", "more", "photos/7.png")...)
	var names []string
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, name)
	}
	if want := []string{"photos/7.png", "photos/8.png", "more/7.png", "more/8.png", "photos/7.png"}; status != 0 || !slices.Equal(names, want) {
		t.Errorf("status %d, names %q, want %q; %s", status, names, want, log)
	}
	if err := os.Rename("more/7.png", "more/a\nb\t.png"); err != nil {
		t.Skip("no such names here")
	}
	if _, out, _ := call(t, append(args, "more")...); !strings.Contains(out, `"a\nb\t.png"`+"\t") {
		t.Errorf("a name with control characters: %q", out)
	}
}

// TestBadFeatures holds that numbers that are none cost their own row alone, and that nothing to do is an error.
func TestBadFeatures(t *testing.T) {
	world(t)
	write := func(name string, rows int, data ...float32) {
		t.Helper()
		if err := weights.WriteFile(name, func(w io.Writer) error {
			return weights.WriteNPY(w, weights.Floats("f", []int{rows, 6}, data, weights.F32))
		}); err != nil {
			t.Fatal(err)
		}
	}
	write("bad.npy", 2, 1, 2, 3, 4, float32(math.NaN()), 6, 1, 2, 3, 4, 5, 6)
	write("none.npy", 0)
	status, out, log := call(t, "--model", "model", "--features", "bad.npy", "--max-tokens", "4", "--json")
	if lines := strings.Split(out, "\n"); status != 1 || len(lines) != 3 || !strings.Contains(lines[0], "number 4 of the feature is NaN") || !strings.Contains(lines[1], "tokens") {
		t.Errorf("a row with a NaN: status %d, %q, %q", status, out, log)
	}
	if status, _, log := call(t, "--model", "model", "--features", "none.npy"); status != 1 || !strings.Contains(log, "no features in it") {
		t.Errorf("no rows: status %d, %q", status, log)
	}
}

// TestBadWeights holds that a model with one number that is none writes errors in place of captions.
func TestBadWeights(t *testing.T) {
	world(t)
	path := filepath.Join("model", checkpoint.WeightsFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := 8 + int(binary.LittleEndian.Uint64(good))
	for _, tensor := range []string{"clip_project.model.0.weight", "gpt.transformer.ln_f.bias"} {
		var head map[string]struct {
			At [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(good[8:header], &head); err != nil || head[tensor].At[1] == 0 {
			t.Fatalf("no tensor %s (%v)", tensor, err)
		}
		bad := slices.Clone(good)
		binary.LittleEndian.PutUint32(bad[header+head[tensor].At[0]:], math.Float32bits(float32(math.NaN())))
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, how := range [][]string{{"--decode", "beam"}, {"--decode", "greedy"}, {"--decode", "sample"}, {"--show-prefix"}} {
			if how[0] == "--show-prefix" && strings.HasPrefix(tensor, "gpt") {
				continue // a prefix needs the mapper alone
			}
			status, out, log := call(t, append([]string{"--model", "model", "--features", "features.npy", "--max-tokens", "4", "--json"}, how...)...)
			if status != 1 || strings.Count(out, "the model computes NaN") != 3 || strings.Contains(out, "tokens") || !strings.Contains(log, "3 of 3 images failed") {
				t.Errorf("%s, %q: status %d, %q, %q", tensor, how, status, out, log)
			}
		}
	}
}

func TestMisuse(t *testing.T) {
	world(t)
	if err := weights.WriteFile("pixels.npy", func(w io.Writer) error {
		return weights.WriteNPY(w, weights.Floats("p", []int{1, 3, 32, 32}, make([]float32, 3*32*32), weights.F32))
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{2, "--model is missing", []string{"a.jpg"}},
		{2, "want one of", []string{"--model", "model"}},
		{2, "want one of", []string{"--model", "model", "--features", "features.npy", "a.jpg"}},
		{2, "--clip is for images", []string{"--model", "model", "--features", "features.npy", "--clip", "x"}},
		{2, "--temperature 0, want", []string{"--model", "model", "--features", "features.npy", "--temperature", "0"}},
		{2, "decode", []string{"--model", "model", "--features", "features.npy", "--decode", "dream"}},
		{2, "images and normalised pixels", []string{"--model", "model", "--clip", "random:clip.json", "photos", "pixels.npy"}},
		{1, "features: stat nowhere", []string{"--model", "model", "--features", "nowhere"}},
		{1, "nothing", []string{"--model", "nothing", "--features", "features.npy"}},
		{2, "--beam 0, want 1 to 1024 (", []string{"--model", "model", "--features", "features.npy", "--beam", "0"}},
		{1, "--model nothing", []string{"--model", "nothing", "nowhere.jpg"}},
		{1, "--gpt2 nothing.bin", []string{"--model", "model", "--gpt2", "nothing.bin", "nowhere.jpg"}},
		{1, "images nowhere.jpg", []string{"--model", "model", "nowhere.jpg"}},
		{1, "name it", []string{"--model", "model", "photos/7.png"}},
		{1, "features of 512 numbers, but the mapper was trained on 6", []string{"--model", "model", "--clip", "ViT-B/32", "photos/7.png"}},
		{2, "--top-p has no effect with --decode beam", []string{"--model", "model", "--features", "features.npy", "--top-p", "0.9"}},
		{2, "--top-k has no effect with --decode greedy", []string{"--model", "model", "--features", "features.npy", "--decode", "greedy", "--top-k", "9"}},
		{2, "--seed has no effect with --decode beam", []string{"--model", "model", "--features", "features.npy", "--seed", "9"}},
		{2, "--length-penalty has no effect with --decode sample", []string{"--model", "model", "--features", "features.npy", "--decode", "sample", "--length-penalty", "2"}},
		{2, "--exif has no effect with --features features.npy", []string{"--model", "model", "--features", "features.npy", "--exif"}},
		{0, "", []string{"--model", "model", "--features", "features.npy", "--decode", "greedy", "--beam", "5", "--temperature", "2", "--max-tokens", "2"}},
		{0, "", []string{"--model", "model", "--clip", "random:clip.json", "--seed", "9", "--max-tokens", "2", "photos"}},
		{0, "Example", []string{"--help"}},
		{0, "clipcap-caption", []string{"--version"}},
	} {
		status, out, log := call(t, c.args...)
		if status != c.status || !strings.Contains(out+log, c.want) {
			t.Errorf("%v: status %d, %q, want %d with %q", c.args, status, out+log, c.status, c.want)
		}
	}
}

// TestPublishedNames holds that a published model that is not here is told with the flag that fetches it, and that a folder of
// its name which is no checkpoint is told as that.
func TestPublishedNames(t *testing.T) {
	dir := world(t)
	t.Setenv("CLIPCAP_HOME", filepath.Join(dir, "home"))
	t.Setenv("HF_HUB_CACHE", filepath.Join(dir, "hub"))
	if status, _, log := call(t, "--model", "coco", "photos/7.png"); status != 1 || !strings.Contains(log, "not on this machine") ||
		!strings.Contains(log, "--download fetches it") {
		t.Errorf("not fetched: status %d, %s", status, log)
	}
	if err := os.Mkdir("coco", 0o755); err != nil {
		t.Fatal(err)
	}
	if status, _, log := call(t, "--model", "coco", "photos/7.png"); status != 1 || !strings.Contains(log, "not the published model of that name") {
		t.Errorf("a folder of that name: status %d, %s", status, log)
	}
}

// cancelling is an output that ends its context after some lines.
type cancelling struct {
	bytes.Buffer
	lines  int
	cancel context.CancelFunc
}

func (c *cancelling) Write(b []byte) (int, error) {
	if c.lines -= bytes.Count(b, []byte("\n")); c.lines <= 0 {
		c.cancel()
	}
	return c.Buffer.Write(b)
}

// TestInterrupted holds that the captions written before an interrupt stay, whole, and that one line says how many they are.
func TestInterrupted(t *testing.T) {
	world(t)
	if err := weights.WriteFile("many.npy", func(w io.Writer) error {
		return weights.WriteNPY(w, weights.Floats("f", []int{40, 6}, make([]float32, 240), weights.F32))
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, log := &cancelling{lines: 5, cancel: cancel}, new(bytes.Buffer)
	status := program().Run(ctx, []string{"--model", "model", "--features", "many.npy", "--max-tokens", "3", "--batch", "4", "--json"}, out, log)
	n := strings.Count(out.String(), "\n")
	if want := fmt.Sprintf("clipcap-caption: interrupted after %d of 40 images, whose captions are written\n", n); status != 1 || n < 5 || n == 40 || log.String() != want {
		t.Errorf("status %d, %d captions, %q, want %q", status, n, log.String(), want)
	}
	for text := range strings.Lines(out.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil || len(l.Captions) != 1 || l.Error != "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestFullDisk holds that captions that cannot be written are an error, not lost.
func TestFullDisk(t *testing.T) {
	world(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no device that is always full here")
	}
	defer full.Close()
	var log bytes.Buffer
	status := program().Run(t.Context(), []string{"--model", "model", "--features", "features.npy", "--max-tokens", "3"}, full, &log)
	if status != 1 || !strings.Contains(log.String(), "no space left") {
		t.Errorf("status %d, %q", status, log.String())
	}
}
