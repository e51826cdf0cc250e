package gpt2

import (
	"math"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
)

// TestGoldenWeightQuality reports what bfloat16 and int8 weights cost against float32 on the golden set: the error of the logits and
// of the probabilities, how often the likeliest word stays, and how many captions of the original's search stay word for word.
func TestGoldenWeightQuality(t *testing.T) {
	const dir = "models/weights/clipcap/"
	config, err := ConfigBeside(testkit.Golden(t, small))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		be      func() nn.Backend
		divides float64 // gate on the mean of KL(float32 ‖ this), nats
		top     float64 // least share of likeliest words that stay
	}{
		{"bfloat16 weights", func() nn.Backend { return nn.NewCPUWeights(nn.Float32, nn.WeightsBFloat16) }, 1e-4, 0.95},
		{"bfloat16 weights and activations", func() nn.Backend { return nn.NewCPU(nn.BFloat16) }, 1e-3, 0.9},
		{"int8 weights", func() nn.Backend { return nn.NewCPUWeights(nn.Float32, nn.WeightsInt8) }, 1e-3, 0.9},
	} {
		var worst, divergence, rows, same, captions, kept float64
		for _, name := range []string{"mlp", "linear", "transformer"} {
			var want reference
			readJSON(t, dir+"out_"+name+"_captions.json", &want)
			prefixes, shape := array(t, dir+"out_"+name+"_prefix_f32.npy")
			m, err := Load(testkit.Golden(t, dir+name+"_weights.pt"), config)
			if err != nil {
				t.Fatal(err)
			}
			be := c.be()
			for _, x := range want.Captions {
				a, b := forward(t, m, nn.NewCPU(nn.Float32), x.Greedy).logits, stepLogits(t, m, be, x.Greedy)
				for at := 0; at < len(a); at += m.Config.Vocab {
					p, q := a[at:][:m.Config.Vocab], b[at:][:m.Config.Vocab]
					worst = max(worst, apart(p, q))
					divergence += divide(p, q)
					rows++
					if first(p) == first(q) {
						same++
					}
				}
			}
			o := DefaultOptions()
			o.MaxTokens, o.Stop = want.Most, want.Stop
			for i, got := range write(t, m, be, o, shape[1], rowsOf(prefixes, shape[1]*shape[2])) {
				captions++
				if slices.Equal(got[0].Tokens, want.Captions[i].Beam[0]) {
					kept++
				}
			}
		}
		t.Logf("%s: largest error of a logit %.2g, mean KL %.2g nats, likeliest word the same in %.0f of %.0f rows, caption the same in %.0f of %.0f",
			c.name, worst, divergence/rows, same, rows, kept, captions)
		if !(divergence/rows <= c.divides) || same < c.top*rows {
			t.Errorf("%s: mean KL %g, want at most %g; likeliest word the same in %g of %g rows, want at least a share of %g", c.name, divergence/rows, c.divides, same, rows, c.top)
		}
	}
}

// stepLogits are the logits of every row of a sequence as decoding computes them, keys and values by way of the cache.
func stepLogits(t *testing.T, m *Model, be nn.Backend, ids []int32) []float32 {
	t.Helper()
	n := len(ids)
	g := G.NewGraph()
	s := m.newStep(g, n, n, n, n)
	defer s.free()
	logits := nn.Unembed(s.Hidden, m.Tokens.Weight.Node(g))
	vm, err := nn.NewMachine(be, logits)
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	rows, none, lens, table := make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n*n)
	for i := range n {
		rows[i], none[i], lens[i] = int32(i), -1, int32(i+1)
		for j := range i + 1 {
			table[i*n+j] = int32(j)
		}
	}
	for _, in := range []struct {
		node *G.Node
		data []int32
	}{{s.IDs, ids}, {s.Places, rows}, {s.Prefix.Index, none}, {s.At.Slots, rows}, {s.At.Table, table}, {s.At.Lens, lens}, {s.Last, rows}} {
		if err := nn.Set(in.node, in.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := nn.Set(s.Prefix.Rows, []float32(nil)); err != nil {
		t.Fatal(err)
	}
	if err := vm.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := vm.Value(logits).Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func apart(a, b []float32) (worst float64) {
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}

func first(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// divide is KL(softmax(p) ‖ softmax(q)).
func divide(p, q []float32) (kl float64) {
	var sp, sq float64
	for i := range p {
		sp += math.Exp(float64(p[i]))
		sq += math.Exp(float64(q[i]))
	}
	for i := range p {
		lp, lq := float64(p[i])-math.Log(sp), float64(q[i])-math.Log(sq)
		kl += math.Exp(lp) * (lp - lq)
	}
	return kl
}
