package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/plural"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// weights writes the model's files into dir.
func (r *Run) weights(dir string) error {
	c := r.Config
	s := r.summary()
	s.Settings = r.Trainer.Settings
	if !finite(s.Loss) {
		s.Loss = 0
	}
	var err error
	if c.Training, err = json.Marshal(s); err != nil {
		return err
	}
	m := r.Trainer.Model
	lm := m.Merged()
	if !m.TunesLM() {
		lm = nil
	}
	if err := checkpoint.Write(dir, c, m.MapperParams(), lm); err != nil || lm == nil || r.Vocabulary == "" {
		return err
	}
	return gpt2.CopyVocabulary(r.Vocabulary, dir)
}

// keepBest writes Dir/best.
func (r *Run) keepBest() error {
	dir := filepath.Join(r.Dir, bestDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := r.Trainer.opt.Fetch(); err != nil {
		return err
	}
	return commit(dir, r.weights)
}

// checkpoint makes Dir a checkpoint of now. Where that fails, because the disk is full say, the checkpoint before stays whole and the
// run goes on to try again, unless this is the last one.
func (r *Run) checkpoint(last bool) error {
	if r.saved == r.Trainer.done {
		return nil
	}
	err := r.Trainer.sound()
	if err != nil {
		return r.failed(err)
	}
	if err = Room(r.Dir, r.Trainer.Bytes()); err == nil {
		err = commit(r.Dir, func(dir string) error {
			if err := r.weights(dir); err != nil {
				return err
			}
			return r.Trainer.saveState(filepath.Join(dir, stateDir), r.best)
		})
	}
	if err == nil {
		r.saved = r.Trainer.done
		err = r.page()
	}
	if err == nil {
		return nil
	}
	err = r.failed(fmt.Errorf("write a checkpoint of step %d: %w", r.Trainer.done, err))
	if last || errors.Is(err, nn.ErrLost) {
		return err
	}
	r.Logger.Error(err.Error())
	return nil
}

// sound fetches the parameters and checks that all of them are numbers.
func (t *Trainer) sound() error {
	if err := t.opt.Fetch(); err != nil {
		return err
	}
	for _, p := range t.opt.Params() {
		for _, x := range p.Data {
			if x-x != 0 { // an infinity or no number
				return &NotFinite{Step: t.done, What: "weight " + p.Name, Images: t.images(&t.batches[0])}
			}
		}
	}
	return nil
}

// page writes the run's page.
func (r *Run) page() error {
	records, err := ReadLog(r.LogPath)
	if err != nil {
		return err
	}
	t := r.Trainer
	facts := []fact{{"steps", fmt.Sprintf("%d of %d (%.2f epochs)", t.done, t.Schedule.Total, t.epochs(t.done))},
		{"captions", fmt.Sprintf("%d of %s", t.packer.Captions.Len(), plural.Of(t.packer.Captions.Join.Images, "image"))},
		{"mapper", fmt.Sprintf("%s, prefix of %s, %d numbers", t.Model.Config.Kind, plural.Of(t.Model.Config.PrefixLength, "row"), t.Model.MapperParams().Count())},
		{"language model", fmt.Sprintf("%s, %d numbers, %d trained", r.Config.GPT2, t.Model.LMParams().Count(), (append(t.Model.LMParams(), t.Model.Adapters...)).Trainable().Count())},
		{"batch", fmt.Sprintf("%s times %d", plural.Of(t.Settings.BatchSize, "caption"), t.Settings.Accumulate)},
		{"learning rate", fmt.Sprintf("%g, %s, warm-up %d", t.Schedule.LR, t.Schedule.Kind, t.Schedule.Warmup)},
		{"precision", t.Settings.Precision}, {"seed", fmt.Sprint(t.Settings.Seed)}}
	report := runPage{Title: r.Title, Facts: facts, Records: records}
	return weights.WriteFile(filepath.Join(r.Dir, PageFile), func(w io.Writer) error { return report.Write(w) })
}
