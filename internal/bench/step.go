package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/kernel"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/train"
)

// stepOptions say which training step is measured: GPT-2 small behind one of the paper's mappers, prefix of 10.
type stepOptions struct {
	kind      string // frozen: the transformer mapper alone is trained; tuned: GPT-2 and the MLP mapper
	batch     int
	tokens    int // of every caption
	precision string
	steps     int
}

// step runs a training step some times and prints its speed, where its time goes and what its memory is for.
func step(o stepOptions, w io.Writer) error {
	t, be, err := o.trainer()
	if err != nil {
		return err
	}
	defer t.Close()
	var took []time.Duration
	for i := range o.steps + 1 {
		if i == 1 {
			t.Profile(true) // the first step packs weights
		}
		u, err := t.Step(context.Background())
		if err != nil {
			return err
		}
		if i > 0 {
			took = append(took, u.Time)
		}
	}
	slices.Sort(took)
	median := took[len(took)/2]
	fmt.Fprintf(w, "%s step, batch %d, captions of %d tokens, %s on %s, %d threads: %.3f s (median of %d), %.1f captions/s\n\n",
		o.kind, o.batch, o.tokens, o.precision, kernel.CPU(), runtime.GOMAXPROCS(0), median.Seconds(), len(took), float64(o.batch)/median.Seconds())

	var total time.Duration
	for _, x := range t.Times() {
		total += x.Time
	}
	fmt.Fprintf(w, "%-22s %6s %10s %7s\n", "operation", "nodes", "ms a step", "share")
	for _, x := range t.Times() {
		fmt.Fprintf(w, "%-22s %6d %10.1f %6.1f%%\n", x.Kind, x.Nodes, x.Time.Seconds()*1e3/float64(len(took)), 100*float64(x.Time)/float64(total))
	}
	fmt.Fprintln(w)
	return t.memory(w, be)
}

// answerSteps makes a step for every line of in, after two that warm up, and answers with its seconds and the process's peak.
func answerSteps(o stepOptions, in io.Reader, out io.Writer) error {
	o.steps = 1 << 30
	t, _, err := o.trainer()
	if err != nil {
		return err
	}
	defer t.Close()
	for range 2 {
		if _, err := t.Step(context.Background()); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "ready")
	reply := json.NewEncoder(out)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		u, err := t.Step(context.Background())
		if err != nil {
			return err
		}
		peak, _ := strconv.ParseFloat(peakMemory(), 64)
		if err := reply.Encode(struct{ Seconds, PeakMB float64 }{u.Time.Seconds(), peak}); err != nil {
			return err
		}
	}
	return nil
}

// measured is a trainer that tells of its memory.
type measured struct{ *train.Trainer }

func (o stepOptions) trainer() (*measured, nn.Backend, error) {
	precision, err := nn.ParsePrecision(o.precision)
	if err != nil {
		return nil, nil, err
	}
	c, err := gpt2Config()
	if err != nil {
		return nil, nil, err
	}
	lm, err := gpt2.New(c)
	if err != nil {
		return nil, nil, err
	}
	mc := mapping.Config{Kind: mapping.KindMLP, Feature: 512, Dim: c.Dim, PrefixLength: 10}
	if o.kind == "frozen" {
		mc.Kind, mc.ClipLength, mc.Layers = mapping.KindTransformer, 10, 8
		if small {
			mc.Layers = 2
		}
	}
	mapper, err := mapping.New(mc)
	if err != nil {
		return nil, nil, err
	}
	m, err := train.NewModel(mapper, mc, lm)
	if err != nil {
		return nil, nil, err
	}
	lm.Init(1)
	mapper.Init(2)
	captions, err := o.captions(mc.Feature, c.Vocab)
	if err != nil {
		return nil, nil, err
	}
	s := train.Defaults()
	s.BatchSize, s.FrozenLM, s.Precision, s.Warmup = o.batch, o.kind == "frozen", o.precision, 0
	s.Steps, s.Sequential = int64(o.steps+1), true
	be, err := device.Open(precision)
	if err != nil {
		return nil, nil, err
	}
	if s.FrozenLM { // as clipcap-train does
		m.HandOver(be)
		debug.FreeOSMemory()
	}
	t, err := train.New(be, m, captions, s)
	if err != nil {
		return nil, nil, err
	}
	return &measured{t}, be, nil
}

// gpt2Config is GPT-2 small's, or a tiny one's.
func gpt2Config() (gpt2.Config, error) {
	c, err := gpt2.Published("gpt2")
	if small {
		c.Vocab, c.Dim, c.Heads, c.Layers = 500, 96, 4, 2
	}
	return c, err
}

// timing asks for training steps to be timed.
type timing struct {
	Kind, Precision string
	Batch, Tokens   int
}

// ready is the trainer of the last timing, which is often asked for again.
var ready struct {
	timing
	*measured
}

// open is the trainer for q, warm.
func (q *timing) open() (*measured, error) {
	if ready.measured != nil && ready.timing == *q {
		return ready.measured, nil
	}
	if t := ready.measured; t != nil {
		ready.measured = nil
		if err := t.Close(); err != nil {
			return nil, err
		}
	}
	o := stepOptions{kind: q.Kind, batch: q.Batch, tokens: q.Tokens, precision: q.Precision, steps: 1 << 30}
	t, _, err := o.trainer()
	if err != nil {
		return nil, err
	}
	for range 4 { // packs weights; on a GPU a step that has come three times becomes a graph
		if _, err := t.Step(context.Background()); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	ready.timing, ready.measured = *q, t
	return t, nil
}

// time makes steps for some seconds; what the first ones prepare is not counted.
func (q *timing) time(seconds float64) (response, error) {
	if (q.Kind != "frozen" && q.Kind != "tuned") || q.Batch < 1 || q.Batch > 1<<14 || q.Tokens < 0 || q.Tokens > 512 {
		return response{}, fmt.Errorf("step %+v: want kind frozen or tuned, a batch of 1 to %d, at most 512 tokens", *q, 1<<14)
	}
	t, err := q.open()
	if err != nil {
		return response{}, err
	}
	var each []float64
	for start := time.Now(); len(each) < 3 || time.Since(start).Seconds() < min(seconds, 30); {
		u, err := t.Step(context.Background())
		if err != nil {
			return response{}, err
		}
		each = append(each, u.Time.Seconds())
	}
	slices.Sort(each)
	return response{Best: each[0], Median: each[len(each)/2]}, nil
}

// captions are a batch of captions of random tokens with random features, by way of the files a user has.
func (o stepOptions) captions(dim, vocab int) (*data.Captions, error) {
	dir, err := os.MkdirTemp("", "clipcap-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	features := filepath.Join(dir, "features.npy")
	if err := writeFeatures(features, o.batch, dim); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(dir, "captions.jsonl"))
	if err != nil {
		return nil, err
	}
	lines, r := json.NewEncoder(f), rand.New(rand.NewPCG(1, 1))
	for row := range o.batch {
		var line struct {
			Row    int   `json:"row"`
			Tokens []int `json:"tokens"`
		}
		line.Row = row
		n := o.tokens
		if n == 0 {
			n = min(24, 8+int(r.ExpFloat64()*4.1))
		}
		for i := range n {
			line.Tokens = append(line.Tokens, 1+(row*7919+i*104729)%(vocab-1))
		}
		if err := lines.Encode(line); err != nil {
			return nil, err
		}
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	opened, err := data.OpenFeatures(features)
	if err != nil {
		return nil, err
	}
	return data.Load(opened, data.Config{Captions: f.Name(), Vocab: vocab})
}
