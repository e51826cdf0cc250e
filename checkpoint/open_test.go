package checkpoint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/mapping"
)

func TestOpenOriginal(t *testing.T) {
	const dir = "models/weights/clipcap/"
	lm, err := gpt2.ConfigBeside(testkit.Golden(t, "models/weights/gpt2"))
	if err != nil {
		t.Fatal(err)
	}
	s := testkit.GoldenModels(t)
	for name, want := range map[string]mapping.Config{
		"mlp":    {Kind: mapping.KindMLP, Feature: s.Embed, Dim: s.Dim, PrefixLength: s.MLP.Prefix},
		"linear": {Kind: mapping.KindLinear, Feature: s.Embed, Dim: s.Dim, PrefixLength: s.Linear.Prefix},
		"transformer": {Kind: mapping.KindTransformer, Feature: s.Embed, Dim: s.Dim, PrefixLength: s.Transformer.Prefix,
			ClipLength: s.Transformer.Clip, Layers: s.Transformer.Layers},
	} {
		for file, whole := range map[string]bool{"_weights.pt": true, "_mapper_only.pt": false} {
			c, err := Open(testkit.Golden(t, dir+name+file), lm)
			if err != nil {
				t.Error(err)
				continue
			}
			if c.Config.Config != want || !c.Original || (c.LM != nil) != whole || c.Config.LM != *lm {
				t.Errorf("%s%s: %+v, original %v, language model %v", name, file, c.Config, c.Original, c.LM != nil)
			}
			if err := c.Config.Validate(); err != nil {
				t.Error(err)
			}
		}
	}
	// Without a configuration the head count is asked for, and a mapper alone asks for the model.
	for _, file := range []string{"mlp_weights.pt", "mlp_mapper_only.pt"} {
		if _, err := Open(testkit.Golden(t, dir+file), nil); err == nil || !strings.Contains(err.Error(), "--gpt2") {
			t.Errorf("%s without configuration: error %v, want one that names --gpt2", file, err)
		}
	}
}

func TestReadConfigRefuses(t *testing.T) {
	good := map[string]any{"clipcap_format": 1, "mapper": "mlp", "prefix_size": 4, "embedding_size": 8, "prefix_length": 2,
		"gpt2_config": map[string]any{"vocab_size": 10, "n_positions": 20, "n_embd": 8, "n_layer": 1, "n_head": 2, "layer_norm_epsilon": 1e-5}}
	write := func(key string, value any) string {
		all := map[string]any{}
		for k, v := range good {
			all[k] = v
		}
		all[key] = value
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ConfigFile), text, 0o666); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if _, err := ReadConfig(write("normalize", true)); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		key   string
		value any
		want  string
	}{
		{"clipcap_format", 2, "newer version"}, {"mapper", "x", "mlp, linear or transformer"}, {"embedding_size", 16, "n_embd is 8"},
		{"prefix_length", -1, "prefix_length"}, {"prefix_length", "many", "config.json"},
	} {
		if _, err := ReadConfig(write(c.key, c.value)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, want one with %q", c.key, c.value, err, c.want)
		}
	}
	if _, err := Open(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), ConfigFile) {
		t.Errorf("an empty folder: error %v, want one that names %s", err, ConfigFile)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a missing file opens")
	}
}
