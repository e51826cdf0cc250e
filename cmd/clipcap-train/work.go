package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/internal/plural"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/train"
)

// session is what a run is made of.
type session struct {
	features, valFeatures *data.Features
	captions, valCaptions *data.Captions
	tokenizer             *gpt2.Tokenizer
	model                 *train.Model
	config                checkpoint.Config
	backend               nn.Backend
	trainer               *train.Trainer
	closers               []io.Closer // of the validation, and of what was copied
	claim                 io.Closer   // of --out
}

func (s *session) close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	if s.trainer != nil {
		errs = append(errs, s.trainer.Close())
	}
	if s.valFeatures != nil && s.valFeatures != s.features {
		errs = append(errs, s.valFeatures.Close())
	}
	if s.features != nil {
		errs = append(errs, s.features.Close())
	}
	if s.claim != nil {
		errs = append(errs, s.claim.Close())
	}
	return errors.Join(errs...)
}

// work is the whole command.
func (o *options) work(ctx context.Context, stdout, stderr io.Writer) (err error) {
	logger := cli.Logger(stderr, "clipcap-train")
	s := &session{}
	defer func() { err = errors.Join(err, s.close()) }()
	if exists(o.out) && !o.dryRun { // a new folder is made when all else is in order
		if err := o.claim(s); err != nil {
			return err
		}
	}
	if err := o.prepare(s); err != nil {
		return err
	}
	join := s.captions.Join
	if join.Missing > 0 {
		logger.Warn("captions without a feature are left out", "captions", join.Missing, "images", len(join.MissingID))
	}
	if join.Empty > 0 {
		logger.Warn("empty captions teach nothing", "captions", join.Empty)
	}
	if o.init != "" {
		if c, err := checkpoint.ReadConfig(o.init); err == nil && c.Normalize != s.config.Normalize {
			logger.Warn(fmt.Sprintf("--init %s was trained with normalize %v, this run has %v", o.init, c.Normalize, s.config.Normalize))
		}
	}
	if w := s.trainer.Schedule.Warning(); w != "" {
		logger.Warn(w)
	}
	run, err := o.run(s, logger)
	if err != nil {
		return err
	}
	if o.dryRun {
		return o.describe(s, stdout)
	}
	if err := o.claim(s); err != nil {
		return err
	}
	room := 2 * s.trainer.Bytes() // the first checkpoint, and the second beside it
	if o.resume {
		found, err := run.Resume()
		if err != nil {
			return err
		}
		if !found {
			logger.Warn("no checkpoint to resume: starting from the beginning", "out", o.out)
		} else {
			room = s.trainer.Bytes()
		}
	}
	if err := train.Room(o.out, room); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if o.overwrite {
		if err := run.Overwrite(); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if err := o.listMissing(join); err != nil {
		return err
	}
	return o.train(ctx, s, run, stdout, stderr)
}

// claim keeps other processes out of --out. What one has left there before that is not passed over.
func (o *options) claim(s *session) (err error) {
	if s.claim != nil {
		return nil
	}
	if s.claim, err = train.Claim(o.out); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return o.checkOut()
}

// train runs the updates and tells the result.
func (o *options) train(ctx context.Context, s *session, run *train.Run, stdout, stderr io.Writer) error {
	if os.Getenv("GOGC") == "" {
		// A step allocates next to nothing. What a checkpoint leaves behind should not wait until it is as large as the model.
		defer debug.SetGCPercent(debug.SetGCPercent(10))
	}
	left := (s.trainer.Schedule.Total - s.trainer.Done()) * int64(o.settings.Accumulate*o.settings.BatchSize)
	bar := cli.NewProgress(stderr, "captions", left, false)
	mean := 0.0
	run.OnUpdate = func(u train.Update) {
		if mean == 0 {
			mean = u.Loss
		}
		mean += 0.02 * (u.Loss - mean)
		bar.Tell(fmt.Sprintf("step %d, loss %.3f, captions", u.Step, mean))
		bar.Add(int64(u.Captions))
	}
	sum, err := run.Do(ctx)
	bar.Done()
	if err != nil {
		return err
	}
	if o.export != "" {
		c, err := checkpoint.Open(o.out, nil)
		if err != nil {
			return err
		}
		if err := c.Export(o.export, s.model.LM); err != nil {
			return err
		}
	}
	if o.json {
		return cli.PrintJSON(stdout, sum)
	}
	if mean == 0 { // no step was left to make
		mean = sum.Loss
	}
	text := fmt.Sprintf("%s: %d of %s, loss %.4f", o.out, sum.Steps, plural.Of(sum.Of, "step"), mean)
	if sum.Best != nil {
		text += fmt.Sprintf(", best %.4f at step %d", sum.Best.Value, sum.Best.Step)
	}
	if sum.Stopped != "" {
		text += fmt.Sprintf(" (stopped: %s; --resume continues)", sum.Stopped)
	}
	_, err = fmt.Fprintln(stdout, text)
	return err
}

// prepare reads everything and plans the run.
func (o *options) prepare(s *session) (err error) {
	if err := o.spool(s); err != nil {
		return err
	}
	if s.tokenizer, err = o.tokenizer(); err != nil {
		return err
	}
	if s.features, err = data.OpenFeatures(o.features); err != nil {
		return err
	}
	if s.model, s.config, err = o.model(s.features); err != nil {
		return err
	}
	if s.captions, err = data.Load(s.features, o.trainCaptions(s)); err != nil {
		return err
	}
	p, err := nn.ParsePrecision(o.settings.Precision)
	if err != nil {
		return err
	}
	device, err := nn.ParseGemm(o.device, o.gemm)
	if err != nil {
		return cli.Misusef("--%w", err)
	}
	if s.backend, err = device.Open(p); err != nil {
		return err
	}
	if o.settings.FrozenLM && o.settings.LoRA == 0 && o.export == "" && !o.dryRun { // an export holds the language model
		s.model.HandOver(s.backend)
	}
	debug.FreeOSMemory() // what reading left behind, before most of the memory is taken
	s.trainer, err = train.New(s.backend, s.model, s.captions, o.settings)
	return err
}

// listMissing writes the ids of images without a feature to a file.
func (o *options) listMissing(j data.Join) error {
	path := filepath.Join(o.out, "missing.txt")
	if o.overwrite {
		os.Remove(path) // the earlier run's
	}
	if len(j.MissingID) == 0 {
		return nil
	}
	return os.WriteFile(path, []byte(strings.Join(j.MissingID, "\n")+"\n"), 0o644)
}
