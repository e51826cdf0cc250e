package gpt2

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/nn"
)

// TestSampleFollowsTheModel draws first words of one prompt and compares their shares with the probabilities.
func TestSampleFollowsTheModel(t *testing.T) {
	m := tiny(t, 6)
	prompt := []int32{9, 4}
	for _, c := range []struct {
		topK int
		topP float64
	}{{0, 1}, {5, 1}, {0, 0.6}, {7, 0.8}, {1, 1}, {0, 1e-9}} {
		o := DefaultOptions()
		o.Mode, o.N, o.MaxTokens, o.TopK, o.TopP, o.Temperature, o.Batch = Sample, 1000, 1, c.topK, c.topP, 2, 1
		lp := logprobs(t, m, prompt, o.Temperature)
		want := make([]float64, len(lp))
		order := make([]int, len(lp))
		for i := range order {
			order[i], want[i] = i, math.Exp(lp[i])
		}
		slices.SortFunc(order, func(a, b int) int {
			if lp[a] > lp[b] {
				return -1
			}
			return 1
		})
		keep := len(lp)
		if c.topK > 0 {
			keep = c.topK
		}
		mass := 0.0
		for _, i := range order[:keep] {
			mass += want[i]
		}
		sum := 0.0
		for n, i := range order {
			if n >= keep || n > 0 && sum >= c.topP*mass {
				want[i] = 0
			}
			sum += want[i]
		}
		got := make([]float64, len(lp))
		const rounds = 20
		for seed := range uint64(rounds) {
			o.Seed = seed
			for _, cap := range write(t, m, nn.NewCPU(nn.Float32), o, 2, each([]Prompt{{Tokens: prompt}}))[0] {
				token := cap.Tokens[2]
				got[token] += 1. / (rounds * 1000)
				if math.Abs(cap.Score-lp[token]) > 1e-5 {
					t.Fatalf("token %d has score %g, want %g", token, cap.Score, lp[token])
				}
			}
		}
		for i := range want {
			p := want[i] / sum
			if p == 0 && got[i] > 0 || math.Abs(got[i]-p) > 5*math.Sqrt(p/(rounds*1000))+1e-9 {
				t.Errorf("top-k %d, top-p %g: token %d has share %g, want %g", c.topK, c.topP, i, got[i], p)
			}
		}
	}
}

// TestCut draws what a draw from the sorted words gives, ties in the order of their places.
func TestCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d dice
	for range 20_000 {
		n := 1 + r.IntN(60)
		d.p = d.p[:0]
		total := 0.0
		for range n {
			p := []float64{math.Exp(-6 * r.Float64()), 0.25, math.Exp(-40 * r.Float64()), 0}[r.IntN(4)]
			d.p = append(d.p, p)
			total += p
		}
		if total == 0 {
			continue
		}
		most, share, u := r.IntN(n+2), []float64{r.Float64(), 1, 0.9, 0.999999, 1e-9}[r.IntN(5)], r.Float64()
		if got, want := d.cut(most, share, total, u), cutSorted(d.p, most, share, total, u); got != want {
			t.Fatalf("%v, the likeliest %d, share %v, at %v: word %d, want %d", d.p, most, share, u, got, want)
		}
	}
	d.p = []float64{math.NaN(), math.NaN()} // what is no number is refused elsewhere, and must not panic here
	d.cut(1, 0.9, math.NaN(), 0.5)
	d.cut(0, 0.9, math.NaN(), 0.5)
}

// cutSorted is cut by sorting everything.
func cutSorted(p []float64, most int, share, total, u float64) int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	if most > 0 && most < len(p) {
		order, total = order[:most], 0
		for _, i := range order {
			total += p[i]
		}
	}
	mass, taken := 0.0, 0
	for taken < len(order) && (taken == 0 || mass < share*total) {
		mass += p[order[taken]]
		taken++
	}
	return order[walk(u*mass, taken, func(i int) float64 { return p[order[i]] })]
}

func BenchmarkCut(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	var d dice
	total := 0.0
	for range 50257 {
		d.p = append(d.p, math.Exp(4*r.NormFloat64()))
		total += d.p[len(d.p)-1]
	}
	for name, o := range map[string]Options{"top-k": {TopK: 40, TopP: 1}, "top-p": {TopP: 0.9}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				d.cut(o.TopK, o.TopP, total, r.Float64())
			}
		})
	}
}
