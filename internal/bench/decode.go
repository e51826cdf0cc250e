package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/nn"
)

// decoding asks for captions by a GPT-2 small of random weights to be timed: Images prompts of Prefix rows, Steps tokens each.
type decoding struct {
	Mode string // greedy, beam or sample
	// Weights are float32, bfloat16 (activations stay float32), int8, "both": bfloat16 weights and activations, or "high":
	// products in high precision.
	Weights string
	Images  int
	Beam    int
	Prefix  int
	Steps   int
	Profile bool // also tell where the time went
}

// language is a model whose weights a backend has.
type language struct {
	backend nn.Backend
	model   *gpt2.Model
}

// forms are those that weights can have.
var forms = map[string]struct {
	precision nn.Precision
	weights   nn.WeightFormat
}{
	"float32":  {nn.Float32, nn.WeightsFloat32},
	"bfloat16": {nn.Float32, nn.WeightsBFloat16},
	"int8":     {nn.Float32, nn.WeightsInt8},
	"both":     {nn.BFloat16, nn.WeightsByPrecision},
	"high":     {nn.High, nn.WeightsFloat32},
}

// languages are made once for each form of weights.
var languages = map[string]language{}

func (q *decoding) open() (language, error) {
	if l, ok := languages[q.Weights]; ok {
		return l, nil
	}
	form, ok := forms[q.Weights]
	if !ok {
		return language{}, fmt.Errorf("weights %q: want float32, bfloat16, int8, both or high", q.Weights)
	}
	be, err := device.OpenWeights(form.precision, form.weights)
	if err != nil {
		return language{}, err
	}
	if small {
		c, err := gpt2Config()
		if err != nil {
			return language{}, err
		}
		m, err := gpt2.New(c)
		if err != nil {
			return language{}, err
		}
		m.Init(1)
		if _, err := m.Params(""); err != nil {
			return language{}, err
		}
		languages[q.Weights] = language{be, m}
		return languages[q.Weights], nil
	}
	holder, _ := be.(nn.Holder)
	m, err := gpt2.OpenTo(holder, "random:gpt2", nil, 1)
	if err != nil {
		return language{}, err
	}
	languages[q.Weights] = language{be, m}
	return languages[q.Weights], nil
}

// prepare makes a decoder; the function it returns writes all captions once.
func (q *decoding) prepare() (run func() error, d *gpt2.Decoder, err error) {
	if q.Images < 1 || q.Images > 1024 || q.Steps < 1 || q.Prefix < 1 || q.Prefix+q.Steps > 1024 {
		return nil, nil, fmt.Errorf("decode %d images, %d rows of prefix and %d steps: want at least 1 of each, at most 1024 images and positions", q.Images, q.Prefix, q.Steps)
	}
	l, err := q.open()
	if err != nil {
		return nil, nil, err
	}
	o := gpt2.DefaultOptions()
	o.Mode, o.MaxTokens, o.Batch = gpt2.Mode(q.Mode), q.Steps, q.Images
	o.Stop = 0 // checked below
	if q.Beam > 0 {
		o.Beam = q.Beam
	}
	dim := l.model.Config.Dim
	prompts := make([]gpt2.Prompt, q.Images)
	for i := range prompts {
		prefix := make([]float32, q.Prefix*dim)
		for j := range prefix {
			prefix[j] = float32((i*31+j*17)%101)/101 - 0.5
		}
		prompts[i].Prefix = prefix
	}
	if d, err = gpt2.NewDecoder(l.model, l.backend, o, q.Prefix); err != nil {
		return nil, nil, err
	}
	all := func(yield func(gpt2.Prompt, error) bool) {
		for _, p := range prompts {
			if !yield(p, nil) {
				return
			}
		}
	}
	return func() error { return q.once(d, all) }, d, nil
}

// once writes all captions and checks that none ended before its time.
func (q *decoding) once(d *gpt2.Decoder, prompts iter.Seq2[gpt2.Prompt, error]) error {
	for captions, err := range d.Decode(context.Background(), prompts) {
		if err != nil {
			return err
		}
		if n := len(captions[0].Tokens); n != q.Steps {
			return fmt.Errorf("a caption of %d tokens, want %d", n, q.Steps)
		}
	}
	return nil
}

func (q *decoding) time(seconds float64) (response, error) {
	run, d, err := q.prepare()
	if err != nil {
		return response{}, err
	}
	defer d.Close()
	for range 2 {
		if err := run(); err != nil {
			return response{}, err
		}
	}
	var each []float64
	for start := time.Now(); len(each) < 3 || time.Since(start).Seconds() < min(seconds, 30); {
		t := time.Now()
		if err := run(); err != nil {
			return response{}, err
		}
		each = append(each, time.Since(t).Seconds())
	}
	slices.Sort(each)
	r := response{Best: each[0], Median: each[len(each)/2]}
	if q.Profile {
		d.Machine().Profile(true)
		if err := run(); err != nil {
			return response{}, err
		}
		for _, t := range d.Machine().Times() {
			r.Profile = append(r.Profile, fmt.Sprintf("%s %d %.3fms", t.Kind, t.Nodes, t.Time.Seconds()*1e3))
		}
	}
	return r, nil
}
