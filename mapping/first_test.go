package mapping

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// TestFirstLayerOnce: a first layer that treats the learned rows once has the bits of one that treats them for every image, and its
// gradients.
func TestFirstLayerOnce(t *testing.T) {
	c := Config{Kind: KindTransformer, Feature: 5, Dim: 24, PrefixLength: 4, ClipLength: 3, Layers: 2}
	m, params := random(t, c, 3)
	tr := m.(*Transformer)
	embed := nn.NewParam(11, c.Dim)
	embed.Name, embed.Frozen = "embed", true
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range embed.Data {
		embed.Data[i] = float32(rng.NormFloat64())
	}
	var trained nn.Params // by the first layer
	for _, p := range params {
		if p == tr.Prefix || p == tr.Split.Weight || slices.Contains([]*nn.Param{tr.Layers[0].Norm1.Gain, tr.Layers[0].Attn.Queries.Weight,
			tr.Layers[0].Attn.KeysValues.Weight, tr.Layers[0].Down.Weight}, p) {
			trained = append(trained, p)
		}
	}
	const images = 5
	features := make([]float32, images*c.Feature)
	for i := range features {
		features[i] = float32(rng.NormFloat64())
	}
	run := func(once bool) (all [][]float64) {
		g := G.NewGraph()
		in := nn.NewInput(g, "features", nn.Float, images+2, c.Feature)
		targets := nn.NewInput(g, "targets", nn.Int32, (images+2)*(c.ClipLength+c.PrefixLength))
		rows := nn.SplitRows(tr.Split.Forward(in), c.ClipLength)
		learned := tr.Prefix.Node(g)
		x, seqs := nn.AppendRows(rows, c.ClipLength, learned)
		var y *G.Node
		if once {
			y = tr.Layers[0].firstRows(x, seqs, rows, c.ClipLength, learned)
		} else {
			y = tr.Layers[0].Forward(x, seqs)
		}
		loss := nn.UnembedCrossEntropy(y, embed.Node(g), targets)
		grads, err := nn.Backward(loss, trained...)
		if err != nil {
			t.Fatal(err)
		}
		outputs := append(G.Nodes{y}, grads.Of...)
		machine, err := nn.NewMachine(nn.NewCPU(nn.Float32), outputs...)
		if err != nil {
			t.Fatal(err)
		}
		defer machine.Close()
		words := make([]int32, images*(c.ClipLength+c.PrefixLength))
		for i := range words {
			words[i] = int32(i*7) % 11
		}
		if err := nn.Set(in, features); err != nil {
			t.Fatal(err)
		}
		if err := nn.Set(targets, words); err != nil {
			t.Fatal(err)
		}
		if err := machine.RunAll(); err != nil {
			t.Fatal(err)
		}
		for _, n := range outputs {
			v, err := machine.Value(n).Floats()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
		}
		return all
	}
	want, got := run(false), run(true)
	if len(trained) != 6 || len(got[0]) != images*(c.ClipLength+c.PrefixLength)*c.Dim || !slices.Equal(got[0], want[0]) {
		t.Errorf("%d parameters, the layer's result differs", len(trained))
	}
	for i := 1; i < len(want); i++ {
		var most, off float64
		for j := range want[i] {
			most, off = max(most, math.Abs(want[i][j])), max(off, math.Abs(got[i][j]-want[i][j]))
		}
		if !(off <= 1e-5*most) || most == 0 {
			t.Errorf("gradient of %s: off by %g of %g", trained[i-1].Name, off, most)
		}
	}
}
