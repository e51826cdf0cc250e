package mapping

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
)

// small are mappers of odd sizes.
var small = []Config{
	{Kind: KindMLP, Feature: 7, Dim: 6, PrefixLength: 3},
	{Kind: KindLinear, Feature: 5, Dim: 3, PrefixLength: 11},
	{Kind: KindTransformer, Feature: 7, Dim: 24, PrefixLength: 1, ClipLength: 3, Layers: 1},
	{Kind: KindTransformer, Feature: 1, Dim: 8, PrefixLength: 5, ClipLength: 1, Layers: 2},
}

func random(t *testing.T, c Config, seed uint64) (Mapper, nn.Params) {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	params, err := nn.Collect(Prefix, m)
	if err != nil {
		t.Fatal(err)
	}
	m.Init(seed)
	return m, params
}

// TestBatches holds the CPU against the reference for batches of any size, a row's prefix being the same in all.
func TestBatches(t *testing.T) {
	for _, c := range small {
		m, _ := random(t, c, 5)
		r := rand.New(rand.NewPCG(1, 1))
		features := make([]float32, 9*c.Feature)
		for i := range features {
			features[i] = float32(r.NormFloat64())
		}
		want := prefixes(t, m, nn.NewReference(), features, c.Feature)
		for _, n := range []int{1, 2, 9} {
			got := prefixes(t, m, nn.NewCPU(nn.Float32), features[:n*c.Feature], c.Feature)
			testkit.Close(t, string(c.Kind), got, want[:n*c.PrefixLength*c.Dim], 1e-5)
		}
	}
}

func TestInit(t *testing.T) {
	c := Config{Kind: KindTransformer, Feature: 100, Dim: 64, PrefixLength: 20, ClipLength: 10, Layers: 1}
	_, params := random(t, c, 5)
	for name, want := range map[string]float64{ // deviations: 1/√(3·inputs), and 1 for the learned rows
		"linear.weight": 1 / math.Sqrt(300), "linear.bias": 1 / math.Sqrt(300), "prefix_const": 1,
		"transformer.layers.0.attn.to_keys_values.weight": 1 / math.Sqrt(192), "transformer.layers.0.mlp.fc2.weight": 1 / math.Sqrt(384),
	} {
		p := params.ByName(Prefix + "." + name)
		var sum float64
		for _, x := range p.Data {
			sum += float64(x) * float64(x)
		}
		if got := math.Sqrt(sum / float64(len(p.Data))); math.Abs(got-want) > 0.1*want {
			t.Errorf("%s: deviation %g, want about %g", name, got, want)
		}
	}
	if g := params.ByName(Prefix + ".transformer.layers.0.norm2.weight"); g.Data[0] != 1 {
		t.Errorf("a norm starts with gain %g, want 1", g.Data[0])
	}
}

func TestValidate(t *testing.T) {
	for want, c := range map[string]Config{
		"prefix_size is 0":              {Kind: KindMLP, Dim: 6, PrefixLength: 3},
		"is odd":                        {Kind: KindMLP, Feature: 2, Dim: 5, PrefixLength: 3},
		"no multiple of the mapper's 8": {Kind: KindTransformer, Feature: 2, Dim: 12, PrefixLength: 3, ClipLength: 2, Layers: 1},
		"clip_length is 0":              {Kind: KindTransformer, Feature: 2, Dim: 8, PrefixLength: 3, Layers: 1},
		`mapper "cnn"`:                  {Kind: "cnn", Feature: 2, Dim: 8, PrefixLength: 3},
		"want 1 to 65536":               {Kind: KindLinear, Feature: 1 << 40, Dim: 8, PrefixLength: 3},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", c, err, want)
		}
	}
}
