package gpt2

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
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
