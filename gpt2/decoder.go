package gpt2

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// Prompt is what a caption follows: prefix rows [n, dim], end to end, and tokens after them. Either may be empty, not
// both.
type Prompt struct {
	Prefix []float32
	Tokens []int32
}

// Decoder writes captions for many prompts at a time. The keys and values of a prompt are computed once and shared by
// its beams; a prompt that is finished makes room for the next at once. What is written for a prompt does not depend
// on the others, nor on the batch's size.
//
// A decoder works for one caller at a time and makes the others wait. Decoders of one model may work side by side.
type Decoder struct {
	model   *Model
	backend nn.Backend
	options Options
	longest int // rows of a prompt

	mu      sync.Mutex
	step    *stepGraph
	result  *G.Node // of nn.Top, or whole logits for sampling
	width   int     // of a row of result
	machine *nn.Machine
	pool    rowPool
	slots   int
	rows    int  // most rows of a step
	fill    bool // steps are filled up to a few sizes

	active, idle []*search
	batch        batch
	read         []float64
	dice         dice
}

// batch is the input of a step.
type batch struct {
	ids, places, index, slots, table, lens, last []int32
	prefix                                       []float32
}

// promptRows is how many rows of prompts a step takes on beside the words, at least one prompt's.
const promptRows = 320

// NewDecoder prepares for prompts of at most longest rows, prefix and tokens. Its memory is that of the cache, which is
// touched as it is needed, and of one step. Decoders share the weights a backend has packed. The model's parameters
// must not be used by anybody building a graph meanwhile.
func NewDecoder(m *Model, be nn.Backend, o Options, longest int) (*Decoder, error) {
	if err := o.Validate(m.Config, longest); err != nil {
		return nil, err
	}
	d, err := newDecoder(m, be, o, longest)
	if err != nil {
		return nil, d.fit(err, false)
	}
	return d, nil
}

// newDecoder is NewDecoder with options that are sound. With an error it still gives a decoder, for fit to measure.
func newDecoder(m *Model, be nn.Backend, o Options, longest int) (*Decoder, error) {
	d := &Decoder{model: m, backend: be, options: o, longest: longest}
	width := o.width()
	heads := o.Batch * width
	d.rows = heads + max(longest, min(promptRows, o.Batch*longest))
	d.slots = o.Batch * (longest + width*o.MaxTokens)
	rows, slots := d.rows, d.slots
	if d.fill = fills(be); d.fill {
		rows, heads, slots = filled(rows), filled(heads), slots+spare
	}
	g := G.NewGraph()
	d.step = m.newStep(g, rows, heads, longest+o.MaxTokens, slots)
	table := m.Tokens.Weight.Node(g)
	if o.Mode == Sample {
		d.result = nn.Unembed(d.step.Hidden, table)
		d.read = make([]float64, m.Config.Vocab)
	} else {
		k := width
		if o.NoRepeat > 0 { // as many words may be ruled out as a caption has
			k += longest + o.MaxTokens
		}
		k = min(k, m.Config.Vocab)
		d.result = nn.Top(d.step.Hidden, table, k, float32(1/o.Temperature))
		d.read = make([]float64, heads*(2*k+1))
	}
	d.width = d.result.Shape()[1]
	var err error
	if d.machine, err = nn.NewMachine(be, d.result); err != nil {
		return d, fmt.Errorf("new decoder: %w", err)
	}
	for range o.Batch {
		d.idle = append(d.idle, &search{beams: make([]beam, 0, width), spare: make([]beam, 0, width)})
	}
	return d, nil
}

// Close gives the decoder's memory back.
func (d *Decoder) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.step.free()
	return d.machine.Close()
}

// Machine is what runs the steps, for its profile.
func (d *Decoder) Machine() *nn.Machine { return d.machine }

// Decode yields the captions of each prompt, best first, in the order of the prompts. An error that comes with a prompt, or a prompt
// that does not fit, is yielded in its place and the rest goes on; after any other error nothing follows.
func (d *Decoder) Decode(ctx context.Context, prompts iter.Seq2[Prompt, error]) iter.Seq2[[]Caption, error] {
	return func(yield func([]Caption, error) bool) {
		d.mu.Lock()
		defer d.mu.Unlock()
		r := run{Decoder: d, done: map[int]outcome{}}
		d.pool.reset(d.slots)
		d.idle = append(d.idle, d.active...)
		d.active = d.active[:0]
		next, stop := iter.Pull2(prompts)
		defer stop()
		r.all(ctx, next, yield)
	}
}

// check tells whether a prompt fits.
func (d *Decoder) check(p Prompt) error {
	c := d.model.Config
	rows := len(p.Prefix)/c.Dim + len(p.Tokens)
	switch {
	case len(p.Prefix)%c.Dim != 0:
		return fmt.Errorf("prompt: %d numbers are no whole number of prefix rows of %d", len(p.Prefix), c.Dim)
	case rows == 0:
		return errors.New("prompt: it is empty")
	case rows > d.longest:
		return fmt.Errorf("prompt: %d rows, want at most %d", rows, d.longest)
	}
	for _, id := range p.Tokens {
		if id < 0 || int(id) >= c.Vocab {
			return fmt.Errorf("prompt: token %d is not in the vocabulary of %d", id, c.Vocab)
		}
	}
	return nil
}

// gather lays out the rows of a step: the last word of every caption, then as much of new prompts as there is room for.
func (d *Decoder) gather() {
	b := &d.batch
	for _, v := range [...]*[]int32{&b.ids, &b.places, &b.index, &b.slots, &b.table, &b.lens, &b.last} {
		*v = (*v)[:0]
	}
	b.prefix = b.prefix[:0]
	for _, s := range d.active {
		s.heads = s.heads[:0]
		for i := range s.beams {
			head := -1
			if w := &s.beams[i]; s.steps > 0 && !w.done {
				head = len(b.last)
				b.last = append(b.last, int32(len(b.ids)))
				d.row(w, w.tokens[len(w.tokens)-1], -1)
			}
			s.heads = append(s.heads, head)
		}
	}
	for _, s := range d.active {
		prefix := len(s.prompt.Prefix) / d.model.Config.Dim
		for s.fed < s.length && len(b.ids) < d.rows {
			if s.fed < prefix {
				d.row(&s.beams[0], -1, int32(len(b.prefix)/d.model.Config.Dim))
				b.prefix = append(b.prefix, s.prompt.Prefix[s.fed*d.model.Config.Dim:][:d.model.Config.Dim]...)
			} else {
				d.row(&s.beams[0], s.prompt.Tokens[s.fed-prefix], -1)
			}
			if s.fed++; s.fed == s.length {
				s.heads[0] = len(b.last)
				b.last = append(b.last, int32(len(b.ids)-1))
			}
		}
	}
}

// row adds a row of a beam to the step: a token, or, where token is -1, row prefix of the batch's prefixes.
func (d *Decoder) row(w *beam, token, prefix int32) {
	b := &d.batch
	b.ids, b.index = append(b.ids, token), append(b.index, prefix)
	b.places = append(b.places, int32(len(w.rows)))
	slot := d.pool.take()
	w.rows = append(w.rows, slot)
	b.slots, b.lens = append(b.slots, slot), append(b.lens, int32(len(w.rows)))
	b.table = append(b.table, w.rows...)
	most := d.longest + d.options.MaxTokens
	n := len(b.table) + most - len(w.rows)
	b.table = slices.Grow(b.table, n-len(b.table))[:n] // what lies beyond the row's length is never read
}

// compute runs the step that gather has laid out.
func (d *Decoder) compute(ctx context.Context) error {
	b := &d.batch
	heads := len(b.last)
	if d.fill {
		d.fillUp()
	}
	s := d.step
	for _, in := range [...]struct {
		node *G.Node
		data []int32
	}{{s.IDs, b.ids}, {s.Places, b.places}, {s.Prefix.Index, b.index}, {s.At.Slots, b.slots}, {s.At.Table, b.table}, {s.At.Lens, b.lens}, {s.Last, b.last}} {
		if err := nn.Set(in.node, in.data); err != nil {
			return err
		}
	}
	if err := nn.Set(s.Prefix.Rows, b.prefix); err != nil {
		return err
	}
	if err := d.machine.Run(ctx); err != nil {
		if errors.Is(err, nn.ErrMemory) {
			d.step.free() // what could be had of the caches
			err = d.fit(err, true)
		}
		return err
	}
	if d.options.Mode == Sample {
		return nil
	}
	return d.machine.Value(d.result).Read(d.read[:heads*d.width], 0)
}

// choose lets one search go on from what the step found.
func (d *Decoder) choose(s *search) error {
	if s.fed < s.length {
		return nil // more of the prompt to come
	}
	if d.options.Mode != Sample {
		s.expand(&d.options, &d.pool, d.top)
		return nil
	}
	if s.steps == 0 {
		s.split(&d.options, &d.pool)
	}
	return s.sample(&d.options, &d.dice, d.logits)
}

// top is a head's part of nn.Top's result: its greatest logits, their tokens, and the log of the sum over all.
func (d *Decoder) top(head int) (logits, tokens []float64, lse float64) {
	row := d.read[head*d.width:][:d.width]
	k := d.width / 2
	return row[:k], row[k : 2*k], row[2*k]
}

// logits are a head's, over the whole vocabulary.
func (d *Decoder) logits(head int) ([]float64, error) {
	return d.read, d.machine.Value(d.result).Read(d.read, head)
}
