package train

import (
	"context"
	"errors"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/nn"
)

// fit adds to an error of a device without room the batch that would fit. held tells that the run's own memory was still allocated.
func (t *Trainer) fit(err error, held bool) error {
	return nn.FitBatch(err, t.backend, t.Settings.BatchSize, held, t.attempt)
}

// attempt prepares the run with batches of so many captions on a backend that computes nothing.
func (t *Trainer) attempt(be nn.Backend, batch int) (func() error, error) {
	c := *t
	c.backend, c.net, c.opt = be, nil, nil
	c.Settings.BatchSize = batch
	sampler := *t.sampler
	sampler.Batch = batch
	c.sampler = &sampler
	if err := c.plan(); err != nil {
		return nil, err
	}
	room := c.Capacity()
	if err := c.prepare(room); err != nil {
		return nil, err
	}
	b := zeros(room, c.Model)
	c.batches = []data.Batch{b}
	if t.Settings.Accumulate > 1 {
		c.batches = append(c.batches, b)
	}
	return c.rehearse, nil
}

// zeros is a batch of zeros that takes all the room there is.
func zeros(room data.Size, m *Model) data.Batch {
	b := data.Batch{Features: make([]float32, room.Images*m.Config.Feature), Images: room.Images,
		IDs: make([]int32, room.Rows), Positions: make([]int32, room.Rows), Prefix: make([]int32, room.Rows),
		Starts: make([]int32, room.Sequences+1), Parents: make([]int32, room.Sequences),
		From: make([]int32, room.Targets), Targets: make([]int32, room.Targets)}
	b.Starts[room.Sequences] = int32(room.Rows)
	for i := range b.Parents {
		b.Parents[i] = -1
	}
	return b
}

// rehearse makes an update with batches that were not packed, as far as a backend that computes nothing goes.
func (t *Trainer) rehearse() error {
	for i := range t.batches {
		if _, err := t.run(context.Background(), &t.batches[i], 0, 1); err != nil {
			return err
		}
		if len(t.batches) > 1 {
			if err := t.opt.Accumulate(); err != nil {
				return err
			}
		}
	}
	if t.Settings.GradClip > 0 {
		if _, err := t.opt.Norm(); err != nil {
			return err
		}
	}
	return t.opt.Update(0, 1)
}

// prepare makes the network, for batches up to a size, and the optimizer.
func (t *Trainer) prepare(room data.Size) (err error) {
	params := t.Model.Params().Trainable()
	t.net, err = newNetwork(t.backend, t.Model, room, networkOptions{shared: t.Settings.Group, dropout: t.Model.drops(), params: params,
		passing: t.Settings.passing(), changing: t.Settings.Accumulate == 1})
	if err != nil {
		return err
	}
	if t.opt, err = nn.NewAdamW(t.net.machine, params, t.net.grads.Of); err != nil {
		return errors.Join(err, t.net.close())
	}
	if t.Settings.WeightDecay > 0 {
		t.opt.WeightDecay = make([]float32, len(params))
		for i, p := range params {
			if decays(p) {
				t.opt.WeightDecay[i] = float32(t.Settings.WeightDecay)
			}
		}
	}
	return nil
}
