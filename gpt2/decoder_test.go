package gpt2

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clipcap-go/clipcap/nn"
)

// manyPrompts are prompts of several lengths for the tiny model.
func manyPrompts(n int) []Prompt {
	r := rand.New(rand.NewPCG(9, 9))
	list := make([]Prompt, n)
	for i := range list {
		p := &list[i]
		for range 24 * r.IntN(4) {
			p.Prefix = append(p.Prefix, float32(r.NormFloat64()))
		}
		for range r.IntN(3) {
			p.Tokens = append(p.Tokens, r.Int32N(101))
		}
		if len(p.Prefix)+len(p.Tokens) == 0 {
			p.Tokens = []int32{int32(i)}
		}
	}
	return list
}

func each(list []Prompt) iter.Seq2[Prompt, error] {
	return func(yield func(Prompt, error) bool) {
		for _, p := range list {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// modes are options of every kind, with stops that come early and late.
func modes() map[string]Options {
	o := DefaultOptions()
	o.MaxTokens, o.Stop, o.Batch = 12, 7, 3
	list := map[string]Options{}
	add := func(name string, change func(o *Options)) {
		c := o
		change(&c)
		list[name] = c
	}
	add("greedy", func(o *Options) { o.Mode = Greedy })
	add("greedy without repeats", func(o *Options) { o.Mode, o.NoRepeat = Greedy, 1 })
	add("beam", func(o *Options) { o.N = 3 })
	add("one beam", func(o *Options) { o.Beam = 1 })
	add("warm beam", func(o *Options) { o.N, o.Temperature, o.LengthPenalty, o.NoRepeat = 5, 2, 0.5, 2 })
	add("sample", func(o *Options) { o.Mode, o.N, o.Seed = Sample, 4, 5 })
	add("cut sample", func(o *Options) { o.Mode, o.N, o.TopK, o.TopP, o.Temperature = Sample, 2, 9, 0.7, 1.5 })
	return list
}

// TestBatches shuffles, splits and merges batches, on one core and on several: nothing may change.
func TestBatches(t *testing.T) {
	m := tiny(t, 1)
	prompts := manyPrompts(11)
	for name, o := range modes() {
		for _, be := range []nn.Backend{nn.NewCPU(nn.Float32), nn.NewCPUWeights(nn.Float32, nn.WeightsBFloat16), nn.NewCPUWeights(nn.Float32, nn.WeightsInt8)} {
			want := write(t, m, be, o, 6, each(prompts))
			if len(want) != len(prompts) {
				t.Fatalf("%s: %d results for %d prompts", name, len(want), len(prompts))
			}
			for _, batch := range []int{1, 2, 64} {
				o.Batch = batch
				order := rand.New(rand.NewPCG(uint64(batch), 1)).Perm(len(prompts))
				shuffled := make([]Prompt, len(prompts))
				for to, from := range order {
					shuffled[to] = prompts[from]
				}
				old := runtime.GOMAXPROCS(1 + batch%3)
				got := write(t, m, be, o, 6+batch%2, each(shuffled))
				runtime.GOMAXPROCS(old)
				for to, from := range order {
					if !reflect.DeepEqual(got[to], want[from]) {
						t.Fatalf("%s, batch %d: prompt %d gives %v, want %v", name, batch, from, got[to], want[from])
					}
				}
			}
		}
	}
}

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

func TestDecodeErrors(t *testing.T) {
	m := tiny(t, 1)
	o := DefaultOptions()
	o.MaxTokens, o.Batch = 5, 2
	d, err := NewDecoder(m, nn.NewCPU(nn.Float32), o, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	broken := errors.New("no such photo")
	list := []struct {
		p    Prompt
		err  error
		want string
	}{
		{Prompt{Tokens: []int32{1}}, nil, ""}, {Prompt{}, broken, "no such photo"}, {Prompt{}, nil, "empty"},
		{Prompt{Prefix: make([]float32, 25)}, nil, "rows of 24"}, {Prompt{Prefix: make([]float32, 96)}, nil, "4 rows, want at most 3"},
		{Prompt{Tokens: []int32{101}}, nil, "token 101"}, {Prompt{Tokens: []int32{1}}, nil, ""},
	}
	prompts := func(yield func(Prompt, error) bool) {
		for _, x := range list {
			if !yield(x.p, x.err) {
				return
			}
		}
	}
	for range 2 { // a decoder serves again after whatever happened
		i := 0
		for captions, err := range d.Decode(context.Background(), prompts) {
			switch want := list[i].want; {
			case want == "" && (err != nil || len(captions) != 1):
				t.Errorf("prompt %d: %v", i, err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("prompt %d: error %v, want one with %q", i, err, want)
			}
			i++
		}
		if i != len(list) {
			t.Errorf("%d results for %d prompts", i, len(list))
		}
		for range d.Decode(context.Background(), prompts) {
			break
		}
		for range d.Decode(context.Background(), each(nil)) {
			t.Error("no prompts give a result")
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for _, err := range d.Decode(ctx, each(manyPrompts(1))) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("after cancelling: error %v", err)
			}
		}
	}

	for want, change := range map[string]func(o *Options){
		"greedy gives 1": func(o *Options) { o.Mode, o.N = Greedy, 2 }, "--beam 0, want 1 to 101": func(o *Options) { o.Beam = 0 },
		"--n 6, want 1 to 5": func(o *Options) { o.N = 6 }, "--beam 102": func(o *Options) { o.Beam = 102 },
		"positions": func(o *Options) { o.MaxTokens = 60 }, "stop token 101": func(o *Options) { o.Stop = 101 },
		"--temperature 0": func(o *Options) { o.Temperature = 0 }, "--top-p 1.5": func(o *Options) { o.TopP = 1.5 },
		"--top-p NaN": func(o *Options) { o.TopP = math.NaN() }, "--batch 0": func(o *Options) { o.Batch = 0 },
		"--no-repeat-ngram is for": func(o *Options) { o.Mode, o.NoRepeat = Sample, 2 }, `--decode "dream"`: func(o *Options) { o.Mode = "dream" },
	} {
		o := DefaultOptions()
		o.MaxTokens = 5
		change(&o)
		if _, err := NewDecoder(m, nn.NewCPU(nn.Float32), o, 3); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

// TestDecodersSideBySide is for the race detector.
func TestDecodersSideBySide(t *testing.T) {
	m := tiny(t, 1)
	be := nn.NewCPU(nn.Float32)
	o := DefaultOptions()
	o.MaxTokens = 8
	prompts := manyPrompts(5)
	var decoders []*Decoder
	for range 3 {
		d, err := NewDecoder(m, be, o, 6)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		decoders = append(decoders, d, d) // two callers share one
	}
	results := make([][][]Caption, len(decoders))
	var group sync.WaitGroup
	for i, d := range decoders {
		group.Go(func() {
			for captions := range d.Decode(context.Background(), each(prompts)) {
				results[i] = append(results[i], captions)
			}
		})
	}
	group.Wait()
	for _, r := range results[1:] {
		if !reflect.DeepEqual(r, results[0]) {
			t.Error("callers got different captions")
		}
	}
}

// TestStepAllocates nothing once it has run.
func TestStepAllocates(t *testing.T) {
	m := tiny(t, 1)
	for name, o := range modes() {
		o.MaxTokens, o.Stop = 50, 100
		d, err := NewDecoder(m, nn.NewCPU(nn.Float32), o, 6)
		if err != nil {
			t.Fatal(err)
		}
		d.pool.reset(d.slots)
		r := run{Decoder: d, done: map[int]outcome{}}
		for i, p := range manyPrompts(3) {
			s := d.idle[i]
			s.begin(i, p, m.Config.Dim, &d.options)
			d.active = append(d.active, s)
		}
		d.idle = d.idle[3:]
		for range 20 {
			if err := r.advance(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if n := testing.AllocsPerRun(10, func() {
			if err := r.advance(context.Background()); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: a step allocates %v times", name, n)
		}
		d.Close()
	}
}
