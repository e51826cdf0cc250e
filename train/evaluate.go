package train

import (
	"context"
	"fmt"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/nn"
)

// Evaluator measures the loss on captions that are not trained on, without dropout or noise.
type Evaluator struct {
	net     *network
	sampler *data.Sampler
	packer  *data.Packer
	batch   data.Batch
}

// NewEvaluator prepares the measurement, with batches of the run's size. Errors are those of New about captions and features.
func NewEvaluator(be nn.Backend, m *Model, c *data.Captions, s Settings) (*Evaluator, error) {
	e := &Evaluator{sampler: &data.Sampler{Captions: c, Batch: s.BatchSize, Sequential: true, KeepLast: true, Group: true},
		packer: &data.Packer{Captions: c, PrefixLength: m.Config.PrefixLength, Normalize: s.Normalize || s.Noise > 0, Shared: true}}
	err := e.sampler.Validate()
	if err == nil {
		err = m.fits(c)
	}
	if err == nil {
		room := e.packer.Capacity(e.sampler, 0, e.sampler.StepsPerEpoch())
		e.net, err = newNetwork(be, m, room, networkOptions{shared: true, changing: true})
	}
	if err != nil {
		return nil, fmt.Errorf("validation captions: %w", err)
	}
	return e, nil
}

// Loss is the mean of -ln p over all tokens of the captions.
func (e *Evaluator) Loss(ctx context.Context) (float64, error) {
	var sum float64
	tokens := 0
	for i := range e.sampler.StepsPerEpoch() {
		if err := e.packer.Pack(&e.batch, e.sampler.Step(i), 0); err != nil {
			return 0, err
		}
		if err := e.net.set(&e.batch, 0, 0); err != nil {
			return 0, err
		}
		if err := e.net.machine.Run(ctx); err != nil {
			return 0, fmt.Errorf("validation: %w", err)
		}
		loss, err := e.net.value()
		if err != nil {
			return 0, err
		}
		sum += loss * float64(len(e.batch.Targets))
		tokens += len(e.batch.Targets)
	}
	return sum / float64(max(1, tokens)), nil
}

// Close gives the memory back.
func (e *Evaluator) Close() error { return e.net.close() }
