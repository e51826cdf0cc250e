package mapping

import (
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestGoldenLoad: the three kinds of mapper, from whole checkpoints and alone.
func TestGoldenLoad(t *testing.T) {
	dir := testkit.Golden(t, "models/weights/clipcap")
	for file, want := range map[string]Config{
		"mlp_weights.pt":             {Kind: KindMLP, Feature: 64, Dim: 64, PrefixLength: 6},
		"mlp_weights_legacy.pt":      {Kind: KindMLP, Feature: 64, Dim: 64, PrefixLength: 6},
		"mlp_weights_cuda.pt":        {Kind: KindMLP, Feature: 64, Dim: 64, PrefixLength: 6},
		"transformer_weights.pt":     {Kind: KindTransformer, Feature: 64, Dim: 64, PrefixLength: 8, ClipLength: 6, Layers: 2},
		"linear_weights.pt":          {Kind: KindLinear, Feature: 64, Dim: 64, PrefixLength: 12},
		"mlp_mapper_only.pt":         {Kind: KindMLP, Feature: 64, Dim: 64, PrefixLength: 6},
		"transformer_mapper_only.pt": {Kind: KindTransformer, Feature: 64, Dim: 64, PrefixLength: 8, ClipLength: 6, Layers: 2},
		"linear_mapper_only.pt":      {Kind: KindLinear, Feature: 64, Dim: 64, PrefixLength: 12},
	} {
		for _, dim := range []int{0, 64} {
			_, c, err := Load(dir+"/"+file, dim)
			alone := dim == 0 && (file == "mlp_mapper_only.pt" || file == "linear_mapper_only.pt")
			if (err != nil) != alone || !alone && c != want {
				t.Errorf("%s, width %d: %+v, %v, want %+v", file, dim, c, err, want)
			}
		}
		if _, _, err := Load(dir+"/"+file, 50); err == nil {
			t.Errorf("%s was loaded for a language model of width 50", file)
		}
	}
}
