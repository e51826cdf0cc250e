package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"path/filepath"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/train"
)

// trainCaptions says how to read the captions to train on.
func (o *options) trainCaptions(s *session) data.Config {
	c := o.captionConfig(s, o.captions, o.split, "train,restval")
	if o.valShare > 0 {
		c.Keep = func(id annotation.ID) bool { return !o.held(id) }
	}
	return c
}

// valConfig says how to read the captions to validate on.
func (o *options) valConfig(s *session) data.Config {
	if o.valShare > 0 {
		c := o.trainCaptions(s)
		c.Keep = o.held
		return c
	}
	return o.captionConfig(s, o.valCaptions, o.valSplit, "val")
}

func (o *options) captionConfig(s *session, path, split, or string) data.Config {
	return data.Config{Captions: path, Options: annotation.Options{Dataset: o.dataset, Split: split, OrSplit: or, CSVQuotes: o.csvQuotes}, AddPeriod: o.addPeriod,
		MaxTokens: o.maxTokens, MaxMissing: o.maxMissing, Normalize: o.settings.Normalize || o.settings.Noise > 0, Vocab: s.model.LM.Config.Vocab, Encode: s.tokenizer.AppendEncode}
}

// held tells whether an image is held out by --val-share: the same images whatever the file, its order and the seed.
func (o *options) held(id annotation.ID) bool {
	h := fnv.New32a()
	h.Write([]byte(id))
	x := h.Sum32() * 0x9e3779b1
	return float64(x^x>>16)/(1<<32) < o.valShare
}

// run sets the run up, with its validation.
func (o *options) run(s *session, logger *slog.Logger) (*train.Run, error) {
	r := &train.Run{Trainer: s.trainer, Dir: o.out, Config: s.config, Save: o.saveEvery, LogPath: o.log, Title: "Training " + filepath.Base(o.out),
		Every: o.evalEvery, KeepBest: o.keepBest, Patience: o.patience, Logger: logger, Vocabulary: o.vocabulary()}
	if o.trainImages > 0 {
		var err error
		if r.OnTrained, err = o.judge(s, s.features, o.trainCaptions(s), o.trainImages); err != nil {
			return nil, err
		}
	}
	if !o.validates() {
		return r, nil
	}
	if err := o.validation(s, r); err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	return r, nil
}

// validation adds the evaluation on captions that are not trained on.
func (o *options) validation(s *session, r *train.Run) (err error) {
	s.valFeatures = s.features
	if o.valFeatures != "" {
		if s.valFeatures, err = data.OpenFeatures(o.valFeatures); err != nil {
			return err
		}
	}
	config := o.valConfig(s)
	c, err := data.Load(s.valFeatures, config)
	if err != nil {
		return err
	}
	if n := c.Join.Missing; n > 0 {
		r.Logger.Warn("validation captions without a feature are left out", "captions", n, "images", len(c.Join.MissingID))
	}
	s.valCaptions = c
	if r.Evaluator, err = train.NewEvaluator(s.backend, s.model, c, o.settings); err != nil {
		return err
	}
	s.closers = append(s.closers, r.Evaluator)
	if o.valImages == 0 {
		return nil
	}
	r.Judge, err = o.judge(s, s.valFeatures, config, o.valImages)
	return err
}

// judge has the first images of a caption file captioned and scored, n at most. It is nil where the captions are token ids.
func (o *options) judge(s *session, f *data.Features, c data.Config, n int) (*train.Judge, error) {
	j := &train.Judge{Samples: o.samples}
	var rows []int
	at := map[int]int{} // row → image
	err := data.Visit(f, c, func(row int, caption annotation.Caption) error {
		if row < 0 || caption.Tokens != nil {
			return nil
		}
		i, ok := at[row]
		if !ok {
			if len(rows) == n {
				return nil
			}
			i = len(rows)
			at[row] = i
			rows, j.Images, j.References = append(rows, row), append(j.Images, string(caption.Image)), append(j.References, nil)
		}
		j.References[i] = append(j.References[i], caption.Text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if o.keepBest == train.ByCIDEr {
			return nil, errors.New("--keep-best cider: the captions are token ids, CIDEr needs text")
		}
		return nil, nil
	}
	stop := int32(13)
	if ids := s.tokenizer.Encode("."); len(ids) == 1 && int(ids[0]) < s.model.LM.Config.Vocab {
		stop = ids[0]
	}
	w, err := train.NewWriter(s.backend, s.model, f, o.settings, stop)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, w)
	w.Decode = s.tokenizer.Decode
	j.Write = func(ctx context.Context) ([]string, error) { return w.Write(ctx, rows) }
	return j, nil
}
