package gpt2

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/nn"
)

// logprobs runs the whole of a sequence through the graph without a cache and gives the next token's log-probabilities.
func logprobs(t *testing.T, m *Model, tokens []int32, temperature float64) []float64 {
	logits := forward(t, m, nn.NewReference(), tokens).logits
	row := logits[len(logits)-m.Config.Vocab:]
	out := make([]float64, len(row))
	sum := 0.0
	for i, x := range row {
		out[i] = float64(x) / temperature
		sum += math.Exp(out[i])
	}
	for i := range out {
		out[i] -= math.Log(sum)
	}
	return out
}

// plainBeam is the original's generate_beam, word for word, without a cache.
func plainBeam(t *testing.T, m *Model, o Options, prompt []int32) []Caption {
	type state struct {
		tokens []int32
		score  float64
		n      int
		done   bool
	}
	states := []state{{tokens: prompt, n: 0}}
	for range o.MaxTokens {
		type choice struct {
			from, token int
			score, rank float64
			n           int
		}
		var all []choice
		for i, s := range states {
			if s.done {
				all = append(all, choice{i, 0, s.score, s.score / math.Pow(float64(s.n), o.LengthPenalty), s.n})
				continue
			}
			for token, lp := range logprobs(t, m, s.tokens, o.Temperature) {
				all = append(all, choice{i, token, s.score + lp, (s.score + lp) / math.Pow(float64(s.n+1), o.LengthPenalty), s.n + 1})
			}
		}
		slices.SortStableFunc(all, func(a, b choice) int {
			if a.rank > b.rank {
				return -1
			}
			return 1
		})
		var next []state
		for _, c := range all[:o.Beam] {
			s := states[c.from]
			if !s.done {
				s = state{append(slices.Clone(s.tokens), int32(c.token)), c.score, c.n, c.token == int(o.Stop)}
			}
			next = append(next, s)
		}
		states = next
		if !slices.ContainsFunc(states, func(s state) bool { return !s.done }) {
			break
		}
	}
	slices.SortStableFunc(states, func(a, b state) int {
		if a.score/math.Pow(float64(a.n), o.LengthPenalty) > b.score/math.Pow(float64(b.n), o.LengthPenalty) {
			return -1
		}
		return 1
	})
	var out []Caption
	for _, s := range states[:o.N] {
		out = append(out, Caption{s.tokens, s.score / float64(s.n)})
	}
	return out
}

func TestBeamIsTheOriginals(t *testing.T) {
	m := tiny(t, 2)
	stops := 0
	for i, c := range []struct{ penalty, temperature float64 }{{1, 1}, {0, 1}, {2, 3}, {1, 2}} {
		o := DefaultOptions()
		o.Beam, o.N, o.MaxTokens, o.LengthPenalty, o.Temperature = 4, 4, 6, c.penalty, c.temperature
		prompt := []int32{int32(3 + 5*i), 50}
		o.Stop = plainBeam(t, m, o, prompt)[0].Tokens[4] // one that comes in the middle
		want := plainBeam(t, m, o, prompt)
		got := write(t, m, nn.NewCPU(nn.Float32), o, 2, each([]Prompt{{Tokens: prompt}}))[0]
		var tokens [][]int32
		var scores []float64
		for _, w := range want {
			tokens, scores = append(tokens, w.Tokens), append(scores, w.Score)
			if w.Tokens[len(w.Tokens)-1] == o.Stop && len(w.Tokens) < 8 {
				stops++
			}
		}
		sameCaptions(t, fmt.Sprintf("penalty %v, temperature %v", c.penalty, c.temperature), got, tokens, scores)
	}
	if stops == 0 {
		t.Error("no caption ended early: the stop token was not tried")
	}
}

func TestNoRepeat(t *testing.T) {
	m := tiny(t, 4)
	for _, n := range []int{1, 2, 3} {
		o := DefaultOptions()
		o.Beam, o.N, o.MaxTokens, o.NoRepeat, o.Stop = 3, 3, 40, n, 100
		for _, c := range write(t, m, nn.NewCPU(nn.Float32), o, 2, each([]Prompt{{Tokens: []int32{1, 2}}}))[0] {
			seen := map[string]bool{}
			for i := 0; i+n <= len(c.Tokens); i++ {
				key := fmt.Sprint(c.Tokens[i : i+n])
				if seen[key] {
					t.Errorf("%d tokens %s come twice in %v", n, key, c.Tokens)
				}
				seen[key] = true
			}
		}
	}
}
