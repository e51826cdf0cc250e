package gpt2

import (
	"math"
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
