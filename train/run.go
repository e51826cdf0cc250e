package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/nn"
)

// What Run.KeepBest goes by: the least loss, or the greatest CIDEr of the captions written.
const (
	ByLoss  = "loss"
	ByCIDEr = "cider"
)

// Run is a trainer at work in a folder: it logs, evaluates, and keeps the folder a checkpoint that can be used and resumed.
type Run struct {
	Trainer *Trainer
	Dir     string            // an existing folder, which Claim keeps other processes out of
	Config  checkpoint.Config // what config.json says; Run fills Training in
	Save    int64             // updates between checkpoints; 0: an epoch
	LogPath string            // "": LogFile in Dir
	Title   string            // of the page
	// Vocabulary names the model, as gpt2.Open does, whose vocabulary goes into checkpoints that hold the language
	// model; empty, or a model without files of its own: the published one, which needs no copy.
	Vocabulary string

	Evaluator *Evaluator // nil: no validation
	Judge     *Judge     // nil: no captions are written and scored
	OnTrained *Judge     // the same for images that are trained on; nil: none
	Every     int64      // updates between evaluations; 0: an epoch
	KeepBest  string     // ByLoss, ByCIDEr or "": the best checkpoint is kept in Dir/best
	Patience  int        // evaluations without a better one before the run ends; 0: any number

	OnUpdate func(Update) // after every update; may be nil
	OnRecord func(Record) // after every evaluation; may be nil
	Logger   *slog.Logger // nil: slog.Default()

	log    *runLog
	events *events
	best   *Best
	last   Update
	saved  int64 // the update of the last checkpoint, -1: none
	mute   bool  // records wait to be written, which was told
}

// Summary is what a run came to, as config.json and the command tell it.
type Summary struct {
	Steps    int64   `json:"steps"`  // updates made
	Of       int64   `json:"of"`     // the run's
	Epochs   float64 `json:"epochs"` // as many as Steps are
	Loss     float64 `json:"loss"`   // of the last update
	Best     *Best   `json:"best,omitempty"`
	Stopped  string  `json:"stopped,omitempty"` // why before the end: interrupted, patience
	Settings any     `json:"settings,omitempty"`
}

// Resume continues from the checkpoint in Dir, finishing first what a crash interrupted. It tells whether there was one. A model that is no
// run's is an error, since a run from the beginning would replace it; other errors are those of Trainer.Resume.
func (r *Run) Resume() (bool, error) {
	if err := errors.Join(recoverDir(r.Dir), recoverDir(filepath.Join(r.Dir, bestDir))); err != nil {
		return false, fmt.Errorf("resume %s: %w", r.Dir, err)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, stateDir, progress)); errors.Is(err, os.ErrNotExist) {
		return false, r.unowned()
	}
	var err error
	if r.best, err = r.Trainer.Resume(r.Dir); err != nil {
		return false, err
	}
	if _, err := os.Stat(filepath.Join(r.Dir, bestDir, checkpoint.WeightsFile)); err != nil && r.KeepBest != "" {
		r.best = nil // it was not kept
	}
	c, err := checkpoint.ReadConfig(r.Dir)
	if err != nil {
		return false, err
	}
	var was Summary
	if json.Unmarshal(c.Training, &was) == nil {
		r.last.Loss = was.Loss // what a run with no update left to make tells
	}
	return true, nil
}

// unowned refuses a folder with a model and no state of a run, not even the empty one that Overwrite leaves.
func (r *Run) unowned() error {
	if _, err := os.Stat(filepath.Join(r.Dir, stateDir)); err == nil {
		return nil
	}
	for _, name := range []string{checkpoint.WeightsFile, checkpoint.ConfigFile} {
		if _, err := os.Stat(filepath.Join(r.Dir, name)); err == nil {
			return fmt.Errorf("resume %s: there is a %s but no %s of a run to continue: --overwrite replaces the model, another --out keeps it, and --init can start from it",
				r.Dir, name, stateDir)
		}
	}
	return nil
}

// Overwrite removes what an earlier run left in Dir, which would be taken for this one's: its state, its best checkpoint, page and events. Its
// last checkpoint and its log stay until Do replaces them; that they may be replaced an empty state says.
func (r *Run) Overwrite() error {
	left, err := fs.Glob(os.DirFS(r.Dir), "events.out.tfevents.*.clipcap.*") // newEvents's
	for _, name := range append(left, stateDir, bestDir, PageFile) {
		err = errors.Join(err, os.RemoveAll(filepath.Join(r.Dir, name)))
	}
	return errors.Join(err, os.Mkdir(filepath.Join(r.Dir, stateDir), 0o755))
}

// Do trains to the end, or until ctx ends: then the update under way is finished and a checkpoint written, and no error returned.
// An error ends the run and names the last good checkpoint; one of a checkpoint before the last, of the best one, or of the log, is logged and tried again.
func (r *Run) Do(ctx context.Context) (s Summary, err error) {
	t := r.Trainer
	r.saved = -1
	if t.done > 0 {
		r.saved = t.done
	}
	if err := r.open(); err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, r.log.Close(), r.events.Close()) }()
	save, every := r.Save, r.Every
	if save <= 0 {
		save = t.PerEpoch
	}
	if every <= 0 {
		every = t.PerEpoch
	}
	stopped := ""
	working := context.WithoutCancel(ctx)
	for !t.Finished() && stopped == "" {
		if r.last, err = t.Step(working); err != nil {
			return s, r.failed(err)
		}
		if err := r.logUpdate(); err != nil {
			return s, err
		}
		last := t.Finished()
		if (t.done%every == 0 || last) && (r.Evaluator != nil || r.Judge != nil || r.OnTrained != nil) {
			enough, err := r.evaluate(working)
			if err != nil {
				return s, r.failed(err)
			}
			if enough {
				stopped = "patience"
			}
		}
		if ctx.Err() != nil && !last {
			stopped = "interrupted"
		}
		if t.done%save == 0 || last || stopped != "" {
			if err := r.checkpoint(last || stopped != ""); err != nil {
				return s, err
			}
		}
	}
	s = r.summary()
	s.Stopped = stopped
	return s, nil
}

// open starts the log and the event file.
func (r *Run) open() (err error) {
	if r.Logger == nil {
		r.Logger = slog.Default()
	}
	if r.LogPath == "" {
		r.LogPath = filepath.Join(r.Dir, LogFile)
	}
	if r.Trainer.done == 0 { // what an earlier run left
		if err := errors.Join(os.RemoveAll(filepath.Join(r.Dir, writing)), os.RemoveAll(filepath.Join(r.Dir, written))); err != nil {
			return err
		}
	}
	if r.log, err = openLog(r.LogPath, r.Trainer.done); err != nil {
		return err
	}
	if r.events, err = newEvents(r.Dir); err != nil {
		return errors.Join(err, r.log.Close())
	}
	return nil
}

// failed adds to an error what is left of the run.
func (r *Run) failed(err error) error {
	if r.saved < 0 {
		return fmt.Errorf("%w; no checkpoint was written yet", err)
	}
	return fmt.Errorf("%w; the last good checkpoint is %s at step %d", err, r.Dir, r.saved)
}

func (r *Run) logUpdate() error {
	u := &r.last
	rec := u.record()
	if err := r.record(rec, scalar{"loss", u.Loss}, scalar{"lr", u.LR}, scalar{"captions_per_s", rec.CaptionsPer}); err != nil {
		return r.failed(err)
	}
	if r.OnUpdate != nil {
		r.OnUpdate(*u)
	}
	return nil
}

// record adds to the log and the events. Where that fails, because the disk is full say, it is reported once, and the run goes on: what
// could not be written waits.
func (r *Run) record(rec Record, scalars ...scalar) error {
	err := errors.Join(r.log.Write(rec), r.events.Write(rec.Step, scalars...))
	switch {
	case err == nil:
		r.mute = false
	case errors.Is(err, errLost):
		return err
	case !r.mute:
		r.mute = true
		r.Logger.Error(fmt.Sprintf("step %d: %v; the run goes on, and its records wait until they can be written", rec.Step, err))
	}
	return nil
}

// evaluate measures, keeps the best checkpoint, and tells whether to give up.
func (r *Run) evaluate(ctx context.Context) (enough bool, err error) {
	rec := Record{Step: r.Trainer.done, Epoch: r.last.Epoch}
	var scalars []scalar
	if r.Evaluator != nil {
		loss, err := r.Evaluator.Loss(ctx)
		if err != nil {
			return false, err
		}
		rec.ValLoss = &loss
		scalars = append(scalars, scalar{"val_loss", loss})
	}
	if r.Judge != nil {
		score, samples, err := r.Judge.score(ctx)
		if err != nil {
			return false, err
		}
		rec.ValCIDEr, rec.Samples = &score, samples
		scalars = append(scalars, scalar{"val_cider", score})
	}
	if r.OnTrained != nil {
		score, samples, err := r.OnTrained.score(ctx)
		if err != nil {
			return false, err
		}
		rec.TrainCIDEr = &score
		if rec.Samples == nil {
			rec.Samples = samples
		}
		scalars = append(scalars, scalar{"train_cider", score})
	}
	if err := r.record(rec, scalars...); err != nil {
		return false, err
	}
	if r.OnRecord != nil {
		r.OnRecord(rec)
	}
	value, by := rec.ValLoss, ByLoss
	if r.KeepBest == ByCIDEr || value == nil {
		value, by = rec.ValCIDEr, ByCIDEr
	}
	if value == nil {
		return false, nil
	}
	if r.best != nil && r.best.By != "" && r.best.By != by {
		r.best = nil // of before the run was resumed: the two do not compare
	}
	if r.best == nil || by == ByLoss && *value < r.best.Value || by == ByCIDEr && *value > r.best.Value {
		before := r.best
		r.best = &Best{Step: rec.Step, Value: *value, By: by}
		if r.KeepBest != "" && finite(*value) {
			if err := r.keepBest(); errors.Is(err, nn.ErrLost) {
				return false, err
			} else if err != nil { // what lies in best stays the one to beat
				r.best = before
				r.Logger.Error(fmt.Sprintf("write the best checkpoint, of step %d: %v; the run goes on", rec.Step, err))
			}
		}
	} else {
		r.best.Since++
	}
	return r.Patience > 0 && r.best != nil && r.best.Since >= r.Patience, nil
}

func (r *Run) summary() Summary {
	return Summary{Steps: r.Trainer.done, Of: r.Trainer.Schedule.Total, Epochs: r.Trainer.epochs(r.Trainer.done), Loss: r.last.Loss, Best: r.best}
}
