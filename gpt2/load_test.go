package gpt2

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/weights"
)

// TestGoldenLoad: every container of the same GPT-2 gives the same parameters.
func TestGoldenLoad(t *testing.T) {
	dir := testkit.Golden(t, "models/weights")
	c, err := ConfigBeside(dir + "/gpt2")
	if err != nil || c == nil || c.Heads != testkit.GoldenModels(t).Heads {
		t.Fatalf("config.json: %v, %v", c, err)
	}
	want, err := Load(dir+"/gpt2", nil)
	if err != nil {
		t.Fatal(err)
	}
	same := func(file string, c *Config) {
		t.Helper()
		got, err := Load(dir+"/"+file, c)
		if err != nil {
			t.Error(err)
			return
		}
		a, _ := want.Params("")
		b, _ := got.Params("")
		for i := range a {
			if a[i].Name != b[i].Name || !slices.Equal(a[i].Data, b[i].Data) || b[i].Version() == 0 {
				t.Errorf("%s: %s differs", file, a[i].Name)
			}
		}
	}
	for _, file := range []string{"hf_legacy_noprefix.bin", "hf_zip_prefixed.bin", "model_nometa_unpadded.safetensors", "zip64.bin", "zip_bigendian.bin",
		"zip_byteorder_little.bin", "zip_cuda_location.bin", "zip_deflated.bin"} {
		same("gpt2/"+file, nil)
	}
	same("gpt2/sharded", c)
	for _, file := range []string{"model_f16.bin", "model_bf16.safetensors"} { // rounded, so only their fit
		if _, err := Load(dir+"/gpt2/"+file, nil); err != nil {
			t.Error(err)
		}
	}
	if _, err := Load(dir+"/clipcap/mlp_weights.pt", c); err != nil { // fine-tuned, so other numbers
		t.Error(err)
	}
	if _, err := Load(dir+"/clipcap/mlp_weights.pt", nil); err == nil || !strings.Contains(err.Error(), "--gpt2") {
		t.Errorf("heads unknown: %v", err)
	}
	if _, err := Load(dir+"/clipcap/mlp_mapper_only.pt", c); err == nil || !strings.Contains(err.Error(), "not a GPT-2") {
		t.Errorf("mapper only: %v", err)
	}
	other := *c
	other.Layers++
	if _, err := Load(dir+"/gpt2", &other); err == nil || !strings.Contains(err.Error(), fmt.Sprint("n_layer is ", other.Layers)) {
		t.Errorf("other configuration: %v", err)
	}
	var misfit *weights.Misfit
	if _, err := Load(dir+"/clip_vit/jit_fp16.pt", c); err == nil || errors.As(err, &misfit) {
		t.Errorf("CLIP: %v", err)
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add(`{"n_embd":768,"n_head":12,"n_layer":12,"n_positions":1024,"vocab_size":50257,"attn_pdrop":0.1}`)
	f.Add(`{"n_embd":7,"n_head":0}`)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := ReadConfig(strings.NewReader(text)); err == nil && c.Validate() != nil {
			t.Errorf("%q was accepted", text)
		}
	})
}
