package mapping

import (
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestGoldenLoad: the three kinds of mapper, from whole checkpoints and alone.
func TestGoldenLoad(t *testing.T) {
	dir := testkit.Golden(t, "models/weights/clipcap")
	s := testkit.GoldenModels(t)
	mlp := Config{Kind: KindMLP, Feature: s.Embed, Dim: s.Dim, PrefixLength: s.MLP.Prefix}
	linear := Config{Kind: KindLinear, Feature: s.Embed, Dim: s.Dim, PrefixLength: s.Linear.Prefix}
	transformer := Config{Kind: KindTransformer, Feature: s.Embed, Dim: s.Dim, PrefixLength: s.Transformer.Prefix, ClipLength: s.Transformer.Clip, Layers: s.Transformer.Layers}
	for file, want := range map[string]Config{
		"mlp_weights.pt": mlp, "mlp_weights_legacy.pt": mlp, "mlp_weights_cuda.pt": mlp, "mlp_mapper_only.pt": mlp,
		"linear_weights.pt": linear, "linear_mapper_only.pt": linear,
		"transformer_weights.pt": transformer, "transformer_mapper_only.pt": transformer,
	} {
		for _, dim := range []int{0, s.Dim} {
			_, c, err := Load(dir+"/"+file, dim)
			alone := dim == 0 && (file == "mlp_mapper_only.pt" || file == "linear_mapper_only.pt")
			if (err != nil) != alone || !alone && c != want {
				t.Errorf("%s, width %d: %+v, %v, want %+v", file, dim, c, err, want)
			}
		}
		if _, _, err := Load(dir+"/"+file, s.Dim-7); err == nil {
			t.Errorf("%s was loaded for a language model of width %d", file, s.Dim-7)
		}
	}
}
