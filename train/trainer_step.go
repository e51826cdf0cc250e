package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/clipcap-go/clipcap/data"
)

// NotFinite says that the loss or a gradient is no finite number any more. The parameters are those before the update.
type NotFinite struct {
	Step   int64
	What   string   // loss, gradient, or weight and its name
	Images []string // ids of those of the batch
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
	u := Update{Step: t.done + 1, Epoch: t.epochs(t.done + 1), LR: t.Schedule.At(t.done + 1)}
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
	err := t.opt.Run(ctx, u.LR, func() (err error) {
		if u.Loss, err = t.net.value(); err == nil && !finite(u.Loss) {
			err = &NotFinite{u.Step, "loss", t.images(b)}
		}
		return err
	})
	var bad *NotFinite
	if errors.As(err, &bad) {
		return bad
	}
	if err != nil {
		return fmt.Errorf("step %d: %w", u.Step, err)
	}
	return nil
}

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
