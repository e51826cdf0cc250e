package mapping

import (
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

func array(t testing.TB, name string) []float32 {
	t.Helper()
	s, err := weights.Open(testkit.Golden(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	data, err := s.Tensor("array").Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// prefixes runs a mapper over features, with room for some more.
func prefixes(t *testing.T, m Mapper, be nn.Backend, features []float32, width int) []float32 {
	t.Helper()
	g := G.NewGraph()
	in := nn.NewInput(g, "features", nn.Float, len(features)/width+3, width)
	out := m.Forward(in)
	machine, err := nn.NewMachine(be, out)
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	if err := nn.Set(in, features); err != nil {
		t.Fatal(err)
	}
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	return machine.Value(out).Data().([]float32)
}

func TestGoldenPrefixes(t *testing.T) {
	const dir = "models/weights/clipcap/"
	for _, name := range []string{"mlp", "linear", "transformer"} {
		ref := testkit.GoldenReference(t, "clipcap/out_"+name+"_prefix_f64.npy")
		gate, half := 4*ref.Diff, 0.02*ref.Scale
		m, config, err := Load(testkit.Golden(t, dir+name+"_weights.pt"), 0)
		if err != nil {
			t.Fatal(err)
		}
		features, want := array(t, dir+"in_features.npy"), array(t, dir+"out_"+name+"_prefix_f64.npy")
		testkit.Close(t, name+" in float32", prefixes(t, m, nn.NewCPU(nn.Float32), features, config.Feature), want, gate)
		testkit.Close(t, name+" in the reference", prefixes(t, m, nn.NewReference(), features, config.Feature), want, gate)
		testkit.Close(t, name+" in high precision", prefixes(t, m, nn.NewCPU(nn.High), features, config.Feature), want, 10*gate)
		testkit.Close(t, name+" in bfloat16", prefixes(t, m, nn.NewCPU(nn.BFloat16), features, config.Feature), want, half)
		testkit.Close(t, name+" on the GPU", prefixes(t, m, testkit.GPU(t, nn.Float32), features, config.Feature), want, gate)
		testkit.Close(t, name+" on the GPU in high precision", prefixes(t, m, testkit.GPU(t, nn.High), features, config.Feature), want, 10*gate)
		testkit.Close(t, name+" on the GPU in bfloat16", prefixes(t, m, testkit.GPU(t, nn.BFloat16), features, config.Feature), want, half)

		// A prefix does not depend on the other images of the batch.
		all := prefixes(t, m, nn.NewCPU(nn.Float32), features, config.Feature)
		one := prefixes(t, m, nn.NewCPU(nn.Float32), features[3*config.Feature:4*config.Feature], config.Feature)
		n := config.PrefixLength * config.Dim
		testkit.Close(t, name+" alone", one, all[3*n:4*n], 0)
	}
}

func TestGoldenFullSize(t *testing.T) { goldenFullSize(t, nn.NewCPU(nn.Float32)) }

func TestGPUGoldenFullSize(t *testing.T) {
	testkit.NeedsGPU(t)
	goldenFullSize(t, testkit.GPU(t, nn.Float32))
}

func goldenFullSize(t *testing.T, be nn.Backend) {
	if testing.Short() {
		t.Skip("mappers of 30 to 60 million weights")
	}
	for _, c := range []struct {
		name   string
		config Config
		gate   float64
	}{
		{"mlp_map", Config{Kind: KindMLP, Feature: 512, Dim: 768, PrefixLength: 10}, 8e-6},
		{"tr_map_10", Config{Kind: KindTransformer, Feature: 512, Dim: 768, PrefixLength: 10, ClipLength: 10, Layers: 8}, 3.4e-5},
		{"tr_map_40_rn", Config{Kind: KindTransformer, Feature: 640, Dim: 768, PrefixLength: 40, ClipLength: 40, Layers: 8}, 3.2e-5},
	} {
		list := testkit.FullSize(t, c.name)
		m, err := New(c.config)
		if err != nil {
			t.Fatal(err)
		}
		params, err := nn.Collect("", m)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range params {
			if list[p.Name] == nil {
				t.Fatalf("no golden tensor for %s", p.Name)
			}
			list[p.Name].Fill(p.Data)
		}
		want := array(t, "models/fullsize/"+c.name+"_prefix_f64.npy")
		features := make([]float32, len(want)/(c.config.PrefixLength*768)*c.config.Feature)
		name := map[int]string{512: "input/clip_features512", 640: "input/clip_features640"}[c.config.Feature]
		testkit.Formula(features, name, 1, 0)
		testkit.Close(t, c.name, prefixes(t, m, be, features, c.config.Feature), want, c.gate)
	}
}
