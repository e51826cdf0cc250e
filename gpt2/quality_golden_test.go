package gpt2

import (
	"math"
	"slices"
	"testing"

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
				a, b := forward(t, m, nn.NewCPU(nn.Float32), x.Greedy), forward(t, m, be, x.Greedy)
				for at := 0; at < len(a.logits); at += m.Config.Vocab {
					p, q := a.logits[at:][:m.Config.Vocab], b.logits[at:][:m.Config.Vocab]
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
