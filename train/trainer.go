package train

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
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
	// PerEpoch is the number of updates in an epoch.
	PerEpoch int64

	backend nn.Backend
	sampler *data.Sampler
	packer  *data.Packer
	batches []data.Batch
	net     *network
	opt     *nn.AdamW
	done    int64  // updates
	start   string // fingerprint of the parameters that are not trained
}

// Update is what one update did.
type Update struct {
	Step     int64 // from 1
	Epoch    float64
	Loss     float64 // before the update, mean over the tokens
	LR       float64
	Tokens   int
	Captions int
	GradNorm float64 // before clipping; 0 unless Settings.GradClip is set
	Time     time.Duration
}

// New prepares a run from its beginning: the graph, its memory, the optimizer. The model's parameters are frozen as the settings say.
func New(be nn.Backend, m *Model, c *data.Captions, s Settings) (*Trainer, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	t := &Trainer{Settings: s, Model: m, backend: be}
	t.sampler = &data.Sampler{Captions: c, Batch: s.BatchSize, Seed: s.Seed, Sequential: s.Sequential, KeepLast: s.KeepLast, Group: s.Group}
	t.packer = &data.Packer{Captions: c, PrefixLength: m.Config.PrefixLength, Normalize: s.Normalize, Noise: s.Noise, Seed: s.Seed, Shared: s.Group}
	if err := errors.Join(t.sampler.Validate(), m.fits(c), m.checkHeld(be, &s)); err != nil {
		return nil, err
	}
	if s.LoRA > 0 && m.Adapters == nil {
		if err := m.AddLoRA(s.LoRA, s.Seed); err != nil {
			return nil, err
		}
	}
	if err := m.Freeze(s.FrozenLM, s.Freeze); err != nil {
		return nil, err
	}
	if err := t.plan(); err != nil {
		return nil, err
	}
	switch tuned := m.TunesLM(); {
	case s.Dropout >= 0:
		m.SetDropout(float32(s.Dropout))
	case !tuned:
		m.SetDropout(0)
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
	t.PerEpoch = t.sampler.StepsPerEpoch() / int64(t.Settings.Accumulate)
	total := t.Settings.Steps
	if total == 0 {
		total = int64(t.Settings.Epochs) * t.PerEpoch
	}
	if total == 0 {
		return fmt.Errorf("%d batches an epoch make no update of --accumulate %d", t.sampler.StepsPerEpoch(), t.Settings.Accumulate)
	}
	t.PerEpoch = max(1, t.PerEpoch)
	warmup := t.Settings.Warmup
	if warmup < 0 {
		warmup = AutoWarmup(total)
	}
	t.Schedule = Schedule{Kind: t.Settings.Schedule, LR: t.Settings.LR, Warmup: warmup, Total: total}
	return nil
}

// Profile turns the timing of the step's operations on or off and clears it.
func (t *Trainer) Profile(on bool) { t.net.machine.Profile(on) }

// Times are the profile's kinds of operation, longest first. The optimizer is not among them.
func (t *Trainer) Times() []nn.OpTime { return t.net.machine.Times() }

// Plan says what the results of the step's operations take.
func (t *Trainer) Plan() nn.Plan { return t.net.machine.Plan() }

// Capacity is the room the run's largest batch needs.
func (t *Trainer) Capacity() data.Size {
	batches := t.Schedule.Total * int64(t.Settings.Accumulate)
	if t.Settings.Sequential { // every epoch is the first again
		batches = min(batches, t.sampler.StepsPerEpoch())
	}
	return t.packer.Capacity(t.sampler, 0, batches)
}

// Done is the number of updates made so far; Finished tells whether that is all of them.
func (t *Trainer) Done() int64 { return t.done }

// Finished tells whether the run is complete.
func (t *Trainer) Finished() bool { return t.done >= t.Schedule.Total }

// NotFinite says that the loss or a gradient is no finite number any more. The parameters are those before the update.
type NotFinite struct {
	Step   int64
	What   string // loss or gradient
	Images []string
}

// Error names the step and the images of its batch.
func (e *NotFinite) Error() string {
	return fmt.Sprintf("step %d: the %s is not a finite number; image ids of the batch: %s", e.Step, e.What, strings.Join(e.Images, ", "))
}

// Step makes one update. When it fails, or ctx ends, the parameters are those before it. On a GPU that fails the error wraps
// nn.ErrLost, and what it had not given back is lost.
func (t *Trainer) Step(ctx context.Context) (Update, error) {
	u, err := t.step(ctx)
	return u, t.fit(err, true)
}

func (t *Trainer) step(ctx context.Context) (Update, error) {
	start := time.Now()
	u := Update{Step: t.done + 1, Epoch: float64(t.done+1) / float64(t.PerEpoch), LR: t.Schedule.At(t.done + 1)}
	n := int64(t.Settings.Accumulate)
	t.opt.Forget() // of a step that failed
	for i := range t.batches {
		b := &t.batches[i]
		at := t.done*n + int64(i)
		if err := t.packer.Pack(b, t.sampler.Step(at), uint64(at)); err != nil {
			return u, fmt.Errorf("step %d: %w", u.Step, err)
		}
		u.Tokens += len(b.Targets)
		u.Captions += len(b.Captions)
	}
	var err error
	if t.Settings.passing() {
		err = t.pass(ctx, &u)
	} else {
		err = t.gather(ctx, &u)
	}
	if err != nil {
		return u, err
	}
	t.done++
	u.Time = time.Since(start)
	return u, nil
}

// pass runs the batch of an update whose gradients are used up one by one.
func (t *Trainer) pass(ctx context.Context, u *Update) error {
	b := &t.batches[0]
	if err := t.net.set(b, t.Settings.Seed, uint64(t.done)); err != nil {
		return fmt.Errorf("step %d: %w", u.Step, err)
	}
	wrong := false
	err := t.opt.Run(ctx, u.LR, func() (err error) {
		if u.Loss, err = t.net.value(); err == nil && !finite(u.Loss) {
			wrong, err = true, errNotFinite
		}
		return err
	})
	if wrong {
		return &NotFinite{u.Step, "loss", t.images(b)}
	}
	if err != nil {
		return fmt.Errorf("step %d: %w", u.Step, err)
	}
	return nil
}

// errNotFinite ends a run whose loss is no number; nobody sees it.
var errNotFinite = errors.New("the loss is no number")

// gather runs the batches of an update whose gradients are needed together.
func (t *Trainer) gather(ctx context.Context, u *Update) error {
	n := int64(t.Settings.Accumulate)
	for i := range t.batches {
		b := &t.batches[i]
		share := float64(len(b.Targets)) / float64(max(1, u.Tokens))
		loss, err := t.run(ctx, b, uint64(t.done*n+int64(i)), float32(share))
		if err != nil {
			return fmt.Errorf("step %d: %w", u.Step, err)
		}
		if u.Loss += share * loss; !finite(u.Loss) {
			return &NotFinite{u.Step, "loss", t.images(b)}
		}
		if n > 1 {
			if err := t.opt.Accumulate(); err != nil {
				return fmt.Errorf("step %d: %w", u.Step, err)
			}
		}
	}
	scale := 1.0
	if clip := t.Settings.GradClip; clip > 0 {
		var err error
		if u.GradNorm, err = t.opt.Norm(); err != nil {
			return fmt.Errorf("step %d: %w", u.Step, err)
		}
		if !finite(u.GradNorm) {
			return &NotFinite{u.Step, "gradient", t.images(&t.batches[0])}
		}
		scale = min(1, clip/(u.GradNorm+1e-6)) // as PyTorch's clip_grad_norm_
	}
	if err := t.opt.Update(u.LR, scale); err != nil {
		return fmt.Errorf("step %d: %w", u.Step, err)
	}
	return nil
}

// run computes the loss and the gradients of a batch, the gradients times weight.
func (t *Trainer) run(ctx context.Context, b *data.Batch, number uint64, weight float32) (float64, error) {
	if err := t.net.set(b, t.Settings.Seed, number); err != nil {
		return 0, err
	}
	if len(t.batches) > 1 {
		if err := t.net.weigh(weight); err != nil {
			return 0, err
		}
	}
	if err := t.net.machine.Run(ctx); err != nil {
		return 0, err
	}
	return t.net.value()
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// images are the ids of a batch's images.
func (t *Trainer) images(b *data.Batch) []string {
	var ids []string
	seen := map[int]bool{}
	for _, c := range b.Captions {
		if row := t.packer.Captions.Row(int(c)); !seen[row] {
			seen[row] = true
			ids = append(ids, t.packer.Captions.Features.ID(row))
		}
	}
	return ids
}

// Close gives the memory of the run back.
func (t *Trainer) Close() error { return errors.Join(t.opt.Close(), t.net.close()) }
