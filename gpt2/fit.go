package gpt2

import (
	"context"

	"github.com/clipcap-go/clipcap/nn"
)

// fit adds to an error of a device without room the batch of prompts that would fit. held tells that the decoder's machine was there already.
func (d *Decoder) fit(err error, held bool) error {
	return nn.FitBatch(err, d.backend, d.options.Batch, held, func(be nn.Backend, batch int) (func() error, error) {
		o := d.options
		o.Batch = batch
		c, err := newDecoder(d.model, be, o, d.longest)
		return c.rehearse, err
	})
}

// rehearse runs a step that takes all the room there is, as far as a backend that computes nothing goes.
func (d *Decoder) rehearse() error {
	heads, longest := d.options.Batch*d.options.width(), d.longest+d.options.MaxTokens
	rows := func(n int) []int32 { return make([]int32, n) }
	d.batch = batch{ids: rows(d.rows), places: rows(d.rows), index: rows(d.rows), slots: rows(d.rows),
		table: rows(d.rows * longest), lens: rows(d.rows), last: rows(heads), prefix: make([]float32, d.rows*d.model.Config.Dim)}
	return d.compute(context.Background())
}
