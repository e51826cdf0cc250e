package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/train"
)

// session is what a run is made of.
type session struct {
	features, valFeatures *data.Features
	captions              *data.Captions
	tokenizer             *gpt2.Tokenizer
	model                 *train.Model
	config                checkpoint.Config
	backend               nn.Backend
	trainer               *train.Trainer
	closers               []io.Closer // of the validation
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
	return errors.Join(errs...)
}

// work is the whole command.
func (o *options) work(ctx context.Context, stdout, stderr io.Writer) (err error) {
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	s := &session{}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := o.prepare(s); err != nil {
		return err
	}
	join := s.captions.Join
	if join.Missing > 0 {
		logger.Warn("captions without a feature are left out", "captions", join.Missing, "images", len(join.MissingID))
	}
	if w := s.trainer.Schedule.Warning(); w != "" {
		logger.Warn(w)
	}
	if o.dryRun {
		return o.describe(s, stdout)
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := o.listMissing(join); err != nil {
		return err
	}
	run, err := o.run(s, logger)
	if err != nil {
		return err
	}
	if o.resume {
		found, err := run.Resume()
		if err != nil {
			return err
		}
		if !found {
			logger.Warn("no checkpoint to resume: starting from the beginning", "out", o.out)
		}
	}
	if err := train.Room(o.out, 2*s.trainer.Bytes()); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return o.train(ctx, s, run, stdout, stderr)
}

// train runs the updates and tells the result.
func (o *options) train(ctx context.Context, s *session, run *train.Run, stdout, stderr io.Writer) error {
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
	text := fmt.Sprintf("%s: %d of %d steps, loss %.4f", o.out, sum.Steps, sum.Of, mean)
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
	if s.tokenizer, err = o.tokenizer(); err != nil {
		return err
	}
	if s.features, err = data.OpenFeatures(o.features); err != nil {
		return err
	}
	if s.model, s.config, err = o.model(s.features); err != nil {
		return err
	}
	if s.captions, err = data.Load(s.features, o.captionConfig(s, o.captions, o.split, "train,restval")); err != nil {
		return err
	}
	p, err := nn.ParsePrecision(o.settings.Precision)
	if err != nil {
		return err
	}
	s.backend = nn.NewCPU(p)
	s.trainer, err = train.New(s.backend, s.model, s.captions, o.settings)
	return err
}

// captionConfig says how to read a file of captions.
func (o *options) captionConfig(s *session, path, split, or string) data.Config {
	return data.Config{Captions: path, Options: annotation.Options{Dataset: o.dataset, Split: split, OrSplit: or, CSVQuotes: o.csvQuotes}, AddPeriod: o.addPeriod,
		MaxTokens: o.maxTokens, MaxMissing: o.maxMissing, Vocab: s.model.LM.Config.Vocab, Encode: s.tokenizer.AppendEncode}
}

// listMissing writes the ids of images without a feature to a file.
func (o *options) listMissing(j data.Join) error {
	if len(j.MissingID) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(o.out, "missing.txt"), []byte(strings.Join(j.MissingID, "\n")+"\n"), 0o644)
}

// run sets the run up, with its validation.
func (o *options) run(s *session, logger *slog.Logger) (*train.Run, error) {
	r := &train.Run{Trainer: s.trainer, Dir: o.out, Config: s.config, Save: o.saveEvery, LogPath: o.log, Title: "Training " + filepath.Base(o.out),
		Every: o.evalEvery, KeepBest: o.keepBest, Patience: o.patience, Logger: logger}
	if o.valCaptions == "" {
		return r, nil
	}
	s.valFeatures = s.features
	if o.valFeatures != "" {
		var err error
		if s.valFeatures, err = data.OpenFeatures(o.valFeatures); err != nil {
			return nil, err
		}
	}
	c, err := data.Load(s.valFeatures, o.captionConfig(s, o.valCaptions, o.valSplit, "val"))
	if err != nil {
		return nil, fmt.Errorf("--val-captions: %w", err)
	}
	if r.Evaluator, err = train.NewEvaluator(s.backend, s.model, c, o.settings); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, r.Evaluator)
	if o.valImages > 0 {
		if r.Judge, err = o.judge(s); err != nil {
			return nil, fmt.Errorf("--val-captions: %w", err)
		}
	}
	return r, nil
}

// judge has the first --val-images validation images captioned and scored.
func (o *options) judge(s *session) (*train.Judge, error) {
	j := &train.Judge{Samples: o.samples}
	var rows []int
	at := map[int]int{} // row → image
	options := o.captionConfig(s, o.valCaptions, o.valSplit, "val").Options
	_, err := annotation.Scan(o.valCaptions, options, func(c annotation.Caption) error {
		row, ok := c.Row, c.Row < s.valFeatures.Rows()
		if c.Row < 0 {
			row, ok = s.valFeatures.Find(string(c.Image))
		}
		if !ok || c.Tokens != nil {
			return nil
		}
		i, ok := at[row]
		if !ok {
			if len(rows) == o.valImages {
				return nil
			}
			i = len(rows)
			at[row] = i
			rows, j.Images, j.References = append(rows, row), append(j.Images, string(c.Image)), append(j.References, nil)
		}
		j.References[i] = append(j.References[i], c.Text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 { // token ids alone: no text to compare with
		if o.keepBest == train.ByCIDEr {
			return nil, errors.New("--keep-best cider: the validation captions are token ids, CIDEr needs text")
		}
		return nil, nil
	}
	stop := int32(13)
	if ids := s.tokenizer.Encode("."); len(ids) == 1 && int(ids[0]) < s.model.LM.Config.Vocab {
		stop = ids[0]
	}
	w, err := train.NewWriter(s.backend, s.model, s.valFeatures, o.settings, stop)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, w)
	w.Decode = s.tokenizer.Decode
	j.Write = func(ctx context.Context) ([]string, error) { return w.Write(ctx, rows) }
	return j, nil
}
