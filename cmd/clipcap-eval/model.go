package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/clipcap-go/clipcap"
	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/ptb"
	"github.com/clipcap-go/clipcap/eval/report"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/nn"
)

// caption opens the model and captions the images of the set, in its order.
func (o *options) caption(ctx context.Context, set *annotation.Set, stderr io.Writer) ([]annotation.Pair, error) {
	precision, err := nn.ParsePrecision(o.precision)
	if err != nil {
		return nil, err
	}
	device, err := nn.ParseGemm(o.device, o.gemm)
	if err != nil {
		return nil, cli.Misusef("--%w", err)
	}
	options := clipcap.Options{CLIP: o.clip, GPT2: o.gpt2, FeaturesOnly: o.features != "", Stop: o.stop, Decode: o.decoding(), Precision: precision, Device: device,
		Activation: clip.Activation(o.activation), Seed: o.seed}
	if o.normalizeGiven {
		options.Normalize = &o.normalize
	}
	m, err := clipcap.Open(ctx, o.model, options)
	if err != nil {
		return nil, err
	}
	cli.BoundGarbage()
	if o.features != "" {
		return o.captionFeatures(ctx, m, set, stderr)
	}
	pairs, paths, err := o.withFiles(set)
	if err != nil {
		return nil, err
	}
	return o.fill(pairs, m.CaptionImages(ctx, squares(ctx, m.ImageSize(), paths)), stderr)
}

// withFiles finds the files of the set's images.
func (o *options) withFiles(set *annotation.Set) (pairs []annotation.Pair, paths []string, err error) {
	for i := range set.Images {
		im := &set.Images[i]
		path, ok := report.ImageFile(o.images, im)
		switch {
		case ok:
			pairs, paths = append(pairs, annotation.Pair{Image: im}), append(paths, path)
		case !o.subset:
			return nil, nil, fmt.Errorf("--images: image id %s: neither %q nor %s.jpg in %s (--subset leaves such images out)", im.ID, im.File, im.ID, o.images)
		}
	}
	if len(pairs) == 0 {
		return nil, nil, fmt.Errorf("--images: no image of the annotations in %s", o.images)
	}
	return pairs, paths, nil
}

// captionFeatures captions the set's images from features extracted before.
func (o *options) captionFeatures(ctx context.Context, m *clipcap.Model, set *annotation.Set, stderr io.Writer) ([]annotation.Pair, error) {
	f, err := data.OpenFeatures(o.features)
	if err != nil {
		return nil, fmt.Errorf("--features: %w", err)
	}
	defer f.Close()
	var pairs []annotation.Pair
	var rows []int
	for i := range set.Images {
		im := &set.Images[i]
		row, ok := f.Find(string(im.ID))
		switch {
		case ok:
			pairs, rows = append(pairs, annotation.Pair{Image: im}), append(rows, row)
		case !o.subset:
			return nil, fmt.Errorf("--features: image id %s is not in %s (--subset leaves such images out)", im.ID, o.features)
		}
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("--features: no image of the annotations in %s", o.features)
	}
	return o.fill(pairs, m.CaptionFeatures(ctx, func(yield func([]float32, error) bool) {
		for _, row := range rows {
			feature := make([]float32, f.Dim)
			if err := f.Read(feature, row); !yield(feature, err) {
				return
			}
		}
	}), stderr)
}

// fill gives each pair its captions; with --subset an image that has none, such as a damaged one, is left out. A line separator that the
// model wrote is a space to the metrics.
func (o *options) fill(pairs []annotation.Pair, captions iter.Seq2[[]clipcap.Caption, error], stderr io.Writer) ([]annotation.Pair, error) {
	progress := cli.NewProgress(stderr, "captions", int64(len(pairs)), false)
	defer progress.Done()
	var kept []annotation.Pair
	last := errors.New("the model stopped before the last image")
	next := 0
	for found, err := range captions {
		if err != nil && next < len(pairs) {
			last = fmt.Errorf("image id %s: %w", pairs[next].ID, err)
			if !o.subset || errors.Is(err, context.Canceled) {
				return nil, last
			}
			progress.Line("clipcap-eval: %v", last)
			progress.Add(1)
			next++
			continue
		} else if err != nil {
			return nil, err
		}
		for _, c := range found {
			text := strings.Map(func(r rune) rune {
				if ptb.LineSeparator(string(r)) >= 0 {
					return ' '
				}
				return r
			}, c.Text)
			pairs[next].Captions = append(pairs[next].Captions, text)
		}
		kept = append(kept, pairs[next])
		next++
		progress.Add(1)
	}
	if next < len(pairs) || len(kept) == 0 {
		return nil, last
	}
	return kept, nil
}
