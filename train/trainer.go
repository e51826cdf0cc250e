package train

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/internal/plural"
	"github.com/clipcap-go/clipcap/nn"
)

// Trainer makes the updates of a run.
type Trainer struct {
	Settings Settings
	Model    *Model
	Schedule Schedule
	PerEpoch int64 // whole updates, at least 1

	backend  nn.Backend
	sampler  *data.Sampler
	packer   *data.Packer
	batches  []data.Batch
	net      *network
	opt      *nn.AdamW
	done     int64  // updates
	start    string // fingerprint of the parameters that are not trained
	features string // fingerprint of the features
}

// Update is what one update did.
type Update struct {
	Step     int64   // from 1
	Epoch    float64 // with this update, so many times over the captions
	Loss     float64 // before the update: mean over the tokens of -ln p
	LR       float64 // the one used
	Tokens   int     // that were predicted
	Captions int
	GradNorm float64 // before clipping; 0 unless Settings.GradClip is set
	Time     time.Duration
}

// New prepares a run from its beginning: the graph, its memory, the optimizer. The model's parameters are frozen as the settings say, and
// have their first numbers (Init, or a file's) by then. Errors are what Settings.Validate finds, features of another width than the mapper's,
// captions too long for the language model, fewer captions than a batch, a pattern that freezes nothing or all, and, wrapping nn.ErrMemory, a
// batch that has no room on the device.
func New(be nn.Backend, m *Model, c *data.Captions, s Settings) (*Trainer, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	t := &Trainer{Settings: s, Model: m, backend: be}
	var err error
	if t.features, err = c.Features.Fingerprint(); err != nil {
		return nil, err
	}
	t.sampler = &data.Sampler{Captions: c, Batch: s.BatchSize, Seed: s.Seed, Sequential: s.Sequential, KeepLast: s.KeepLast, Group: s.Group}
	t.packer = &data.Packer{Captions: c, PrefixLength: m.Config.PrefixLength, Normalize: s.Normalize, Noise: s.Noise, Seed: s.Seed, Shared: s.Group}
	if err := errors.Join(t.sampler.Validate(), m.fits(c), m.checkHeld(be, &s)); err != nil {
		return nil, err
	}
	if s.LoRA > 0 && m.Adapters == nil {
		if err := m.addLoRA(s.LoRA, s.Seed); err != nil {
			return nil, err
		}
	}
	if err := m.freeze(s.FrozenLM, s.Freeze); err != nil {
		return nil, err
	}
	if err := t.plan(); err != nil {
		return nil, err
	}
	switch tuned := m.TunesLM(); {
	case s.Dropout >= 0:
		m.setDropout(float32(s.Dropout))
	case !tuned:
		m.setDropout(0)
	}
	if err := t.prepare(t.Capacity()); err != nil {
		return nil, t.fit(err, false)
	}
	if err := nn.CheckFit(be, s.BatchSize, t.attempt); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.batches = make([]data.Batch, s.Accumulate)
	t.start = m.fingerprint()
	return t, nil
}

// decays tells whether weight decay applies to a parameter: to matrices, not to biases, gains or learned rows.
func decays(p *nn.Param) bool { return len(p.Shape) > 1 && !strings.HasSuffix(p.Name, "prefix_const") }

// fingerprint tells one set of frozen parameters from another, by a sum over some of their numbers.
func (m *Model) fingerprint() string {
	h := fnv.New64a()
	for _, p := range m.Params() {
		if p.Frozen {
			m.identify(h, p)
		}
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// fits checks captions and features against the model.
func (m *Model) fits(c *data.Captions) error {
	longest, _ := c.Lengths()
	if n := m.Config.PrefixLength + max(1, longest) - 1; n > m.LM.Config.Positions {
		return fmt.Errorf("captions of up to %s behind a prefix of %d need %d positions, the language model has %d (--max-tokens cuts captions)",
			plural.Of(longest, "token"), m.Config.PrefixLength, n, m.LM.Config.Positions)
	}
	if c.Features.Dim != m.Config.Feature {
		return fmt.Errorf("%s holds features of %d numbers, the mapper takes %d", c.Features.Path, c.Features.Dim, m.Config.Feature)
	}
	return nil
}

// drops tells whether any dropout of the language model is on.
func (m *Model) drops() bool {
	c := m.LM.Config
	return c.EmbdDrop > 0 || c.AttnDrop > 0 || c.ResidDrop > 0
}

// plan counts the updates and fixes the schedule.
func (t *Trainer) plan() error {
	batches, n := t.sampler.StepsPerEpoch(), int64(t.Settings.Accumulate)
	t.PerEpoch = batches / n
	total := t.Settings.Steps
	if total == 0 && t.PerEpoch == 0 {
		return fmt.Errorf("an epoch of %s makes no update of --accumulate %d", plural.Of(batches, "batch"), n)
	}
	if total == 0 {
		total = int64(t.Settings.Epochs) * batches / n // an update's batches may be of two epochs
	}
	t.PerEpoch = max(1, t.PerEpoch)
	warmup := t.Settings.Warmup
	if warmup < 0 {
		warmup = autoWarmup(total)
	}
	t.Schedule = Schedule{Kind: t.Settings.Schedule, LR: t.Settings.LR, Warmup: warmup, Total: total}
	return nil
}

// Profile turns the timing of the step's operations on or off and clears it.
func (t *Trainer) Profile(on bool) { t.net.machine.Profile(on) }

// Times are the profile's kinds of operation, longest first; the optimizer is "update", where it works while the step runs.
func (t *Trainer) Times() []nn.OpTime { return t.net.machine.Times() }

// Plan says what the results of the step's operations take.
func (t *Trainer) Plan() nn.Plan { return t.net.machine.Plan() }

// Capacity is the room that the run's largest batch needs in the step's graph.
func (t *Trainer) Capacity() data.Size {
	batches := t.Schedule.Total * int64(t.Settings.Accumulate)
	if t.Settings.Sequential { // every epoch is the first again
		batches = min(batches, t.sampler.StepsPerEpoch())
	}
	return t.packer.Capacity(t.sampler, 0, batches)
}

// epochs is how many times over the captions so many updates are.
func (t *Trainer) epochs(updates int64) float64 {
	return float64(updates*int64(t.Settings.Accumulate)) / float64(t.sampler.StepsPerEpoch())
}

// Done is the number of updates made so far.
func (t *Trainer) Done() int64 { return t.done }

// Finished tells whether the run is complete.
func (t *Trainer) Finished() bool { return t.done >= t.Schedule.Total }

// Close gives the memory of the run back.
func (t *Trainer) Close() error { return errors.Join(t.opt.Close(), t.net.close()) }
