package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/weights"
)

// written writes items to a file of the test's.
func written(t *testing.T, name string, items ...weights.Item) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	err := weights.WriteFile(path, func(w io.Writer) error {
		if strings.HasSuffix(name, ".pt") {
			return weights.WriteTorch(w, items)
		}
		return weights.WriteSafetensors(w, nil, items)
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// counting is an item of the numbers 0, 1, 2, ….
func counting(name string, shape ...int) weights.Item {
	n := 1
	for _, d := range shape {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(i)
	}
	return weights.Floats(name, shape, data, weights.F32)
}

func mapperFile(t *testing.T) string {
	return written(t, "mapper.safetensors", counting("clip_project.weight", 8, 3), counting("clip_project.bias", 8))
}

func gpt2File(t *testing.T) string {
	table := counting("transformer.wte.weight", 5, 4)
	return written(t, "gpt2.pt", table, counting("transformer.wpe.weight", 3, 4), counting("transformer.h.0.ln_1.weight", 4),
		counting("transformer.h.0.attn.bias", 1, 1, 3, 3), weights.Alias("lm_head.weight", table))
}

func opened(t *testing.T, path string) *weights.Store {
	t.Helper()
	s, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func names(s *weights.Store) (all []string) {
	for _, t := range s.Tensors() {
		all = append(all, t.Name)
	}
	slices.Sort(all)
	return all
}

// TestConvertForTheOriginal: a mapper alone becomes a whole checkpoint with all the original's code looks for.
func TestConvertForTheOriginal(t *testing.T) {
	out := filepath.Join(t.TempDir(), "whole.pt")
	if status, _, log := call(t, "convert", mapperFile(t), out, "--gpt2", gpt2File(t), "--masks"); status != 0 {
		t.Fatal(log)
	}
	s := opened(t, out)
	want := []string{"clip_project.bias", "clip_project.weight", "gpt.lm_head.weight", "gpt.transformer.h.0.attn.bias", "gpt.transformer.h.0.attn.masked_bias",
		"gpt.transformer.h.0.ln_1.weight", "gpt.transformer.wpe.weight", "gpt.transformer.wte.weight"}
	if got := names(s); !slices.Equal(got, want) {
		t.Errorf("tensors %v, want %v", got, want)
	}
	mask := make([]int64, 9)
	if err := s.Tensor("gpt.transformer.h.0.attn.bias").ReadInt64(mask); err != nil || !slices.Equal(mask, []int64{1, 0, 0, 1, 1, 0, 1, 1, 1}) {
		t.Errorf("mask %v, %v", mask, err)
	}
	if f, err := s.Tensor("gpt.transformer.h.0.attn.masked_bias").Float32s(); err != nil || f[0] != -1e4 {
		t.Errorf("masked_bias %v, %v", f, err)
	}
}

func TestConvert(t *testing.T) {
	mapper, lm := mapperFile(t), gpt2File(t)
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{mapper + " %.pt --dtype bf16", 0, ""},
		{mapper + " %.npy --tensor clip_project.bias --dtype f16", 0, ""},
		{lm + " %.safetensors --names model", 0, ""},
		{mapper + " %.npy", 1, "--tensor"},
		{mapper + " %.npy --tensor none", 1, "none"},
		{mapper + " %.gguf", 2, "want a name that ends"},
		{mapper + " %.pt --dtype i8", 2, "f32, f16"},
		{mapper + " %.pt --names mine", 2, "file or model"},
		{mapper + " %.pt --names model", 1, "want CLIP or GPT-2"},
		{mapper + " %.pt --gpt2 " + mapper, 1, "not a GPT-2"},
		{lm + " %.pt --gpt2 " + lm, 1, "nothing to add"},
		{mapper + " %.pt --masks", 1, "no language model"},
		{mapper + " " + mapper, 1, "--overwrite"},
		{mapper, 2, "OUT"},
	} {
		base := filepath.Join(t.TempDir(), "out")
		status, _, log := call(t, append([]string{"convert"}, strings.Fields(strings.ReplaceAll(c.args, "%", base))...)...)
		if status != c.status || !strings.Contains(log, c.want) {
			t.Errorf("%s: exit %d, %q, want %d and %q", c.args, status, log, c.status, c.want)
		}
		if left, _ := filepath.Glob(base + "*"); (len(left) == 1) != (c.status == 0) {
			t.Errorf("%s: files %v", c.args, left)
		}
		if c.status != 0 {
			continue
		}
		left, _ := filepath.Glob(base + "*")
		s := opened(t, left[0])
		x := s.Tensors()[len(s.Tensors())-1]
		if strings.Contains(c.args, "--dtype") && x.DType == weights.F32 {
			t.Errorf("%s: %s is still F32", c.args, x.Name)
		}
		if f, err := x.Float32s(); err != nil || len(f) > 1 && f[1] != 1 {
			t.Errorf("%s: %v, %v", c.args, f, err)
		}
		if strings.Contains(c.args, "names") && !slices.Equal(names(s), []string{"h.0.ln_1.weight", "lm_head.weight", "wpe.weight", "wte.weight"}) {
			t.Errorf("names %v", names(s))
		}
	}
}

func TestVerify(t *testing.T) {
	mapper := mapperFile(t)
	status, out, log := call(t, "verify", mapper, "--json")
	if status != 0 || !strings.Contains(out, `"numbers":32,"not_finite":0`) {
		t.Errorf("exit %d, %q %q", status, out, log)
	}
	if status, _, log := call(t, "verify", mapper, "--sha256", "abc"); status != 1 || !strings.Contains(log, "not abc") {
		t.Errorf("wrong hash: exit %d, %q", status, log)
	}
	if status, _, log := call(t, "verify", mapper, mapper+".not"); status != 1 || !strings.Contains(log, "1 of 2") {
		t.Errorf("a file that is not there: exit %d, %q", status, log)
	}
	if status, _, _ := call(t, "verify"); status != 2 {
		t.Errorf("no file: exit %d", status)
	}
}

// TestVerifyNamesTensors holds that verify says which tensors hold what is infinite or NaN: the first few, with how many numbers, and how many
// tensors in all.
func TestVerifyNamesTensors(t *testing.T) {
	bad := []float32{float32(math.Inf(1)), 1, float32(math.NaN())}
	file := func(infinite ...string) string {
		items := []weights.Item{weights.Floats("good", []int{3}, []float32{1, 2, 3}, weights.F32)}
		for i, name := range infinite {
			items = append(items, weights.Floats(name, []int{1 + 2*(i%2)}, bad[:1+2*(i%2)], weights.F32))
		}
		path := filepath.Join(t.TempDir(), "f.safetensors")
		if err := weights.WriteFile(path, func(w io.Writer) error { return weights.WriteSafetensors(w, nil, items) }); err != nil {
			t.Fatal(err)
		}
		return path
	}
	few := file("a\x1b", "b")
	for _, c := range []struct{ path, want string }{
		{few, ": sound, 3 tensors, 7 numbers, "},
		{few, ", 3 numbers infinite or NaN in 2 tensors: \"a\\x1b\" (1), b (2)\n"},
		{file("a"), ", 1 number infinite or NaN in 1 tensor: a (1)\n"},
		{file("a", "b", "c", "d", "e", "f", "g"), ", 10 numbers infinite or NaN in 7 tensors: a (1), b (2), c (1), d (2), e (1) and 2 more\n"},
	} {
		if status, out, log := call(t, "verify", c.path); status != 0 || !strings.Contains(out, c.want) {
			t.Errorf("exit %d, %q %q, want %q", status, out, log, c.want)
		}
	}
	if _, out, _ := call(t, "verify", "--json", few); !strings.Contains(out, `"not_finite":3,"not_finite_in":[{"name":"a\u001b","count":1},{"name":"b","count":2}]`) {
		t.Errorf("JSON %s", out)
	}
}

// TestGoldenConvertCLIP: Hugging Face's layout becomes OpenAI's names, and the numbers are those of OpenAI's file.
func TestGoldenConvertCLIP(t *testing.T) {
	dir := testkit.Golden(t, "models/weights/clip_vit")
	out := filepath.Join(t.TempDir(), "clip.pt")
	if status, _, log := call(t, "convert", filepath.Join(dir, "hf_clip.safetensors"), out, "--names", "model"); status != 0 {
		t.Fatal(log)
	}
	got, want := opened(t, out), opened(t, filepath.Join(dir, "state_dict_fp16.pt"))
	if !slices.Equal(names(got), names(want)) {
		t.Fatalf("names %v, want %v", names(got), names(want))
	}
	for _, w := range want.Tensors() {
		a, err := got.Tensor(w.Name).Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := w.Float32s(); err != nil || !slices.Equal(a, b) {
			t.Errorf("%s differs, %v", w.Name, err)
		}
	}
}

// TestConvertLeavesNothing holds that an interrupt or a full disk costs a line of error, and leaves no part of a file.
func TestConvertLeavesNothing(t *testing.T) {
	in, dir := mapperFile(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log bytes.Buffer
	if status := program.Run(ctx, []string{"convert", in, filepath.Join(dir, "out.safetensors")}, io.Discard, &log); status != 1 || !strings.Contains(log.String(), "interrupted; nothing was written\n") {
		t.Errorf("interrupted: status %d, %q", status, log.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("an interrupt left %v (%v)", left, err)
	}
	// By a link: should the device ever be replaced instead of written to, it is the link that goes.
	full := filepath.Join(dir, "full.safetensors")
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no device that is always full here")
	}
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Skip(err)
	}
	if status, _, log := call(t, "convert", in, full, "--overwrite"); status != 1 || !strings.Contains(log, "full.safetensors") || !strings.Contains(log, "no space left") || strings.Count(log, "\n") != 1 {
		t.Errorf("a full disk: status %d, %q", status, log)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("a full disk left %v (%v)", left, err)
	}
}
