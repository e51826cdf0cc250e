package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/meteor"
	"github.com/clipcap-go/clipcap/eval/ptb"
	"github.com/clipcap-go/clipcap/eval/report"
	"github.com/clipcap-go/clipcap/eval/score"
	"github.com/clipcap-go/clipcap/eval/spice"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/internal/plural"
)

// evaluate reads, scores and reports.
func (o *options) evaluate(ctx context.Context, stdout, stderr io.Writer) error {
	if err := o.needFiles(); err != nil {
		return err
	}
	set, err := annotation.Read(o.annotations, annotation.Options{Dataset: o.dataset, Split: o.split, CSVQuotes: o.csvQuotes})
	if err != nil {
		return fmt.Errorf("--annotations: %w", err)
	}
	if err := set.LineSeparators(ptb.LineSeparator, o.sanitize); err != nil {
		return fmt.Errorf("--annotations: %w", err)
	}
	// What may be wrong with other files comes before the captions, which a model may take hours to write.
	options, notes, err := o.means(set)
	if err != nil {
		return err
	}
	pairs, err := o.candidates(ctx, set, stderr)
	if err != nil {
		return err
	}
	if o.submission != "" {
		if err := report.Submission(o.submission, pairs); err != nil {
			return fmt.Errorf("--submission: %w", err)
		}
		o.submitted = true
	}
	if !set.HasReferences() {
		return o.nothingToScore(stdout)
	}
	if o.scores() {
		if options.Clip, err = o.openClip(stderr); err != nil {
			return fmt.Errorf("clipscore: %w", err)
		}
	}
	r := new(report.Report)
	if r.Run, err = score.New(ctx, pairs, options); err != nil {
		return err
	}
	r.Notes = append(r.Notes, notes...)
	if o.meteorCheck != "" {
		check, err := options.Meteor.CheckAgainst(ctx, o.meteorCheck, r.Candidates, r.References)
		if err != nil {
			return fmt.Errorf("--meteor-check: %w", err)
		}
		r.Notes = append(r.Notes, checked(check, pairs))
	}
	if n := len(set.Images) - len(pairs); n > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("--subset: %d of %d images have no caption to score and are left out; scores of other subsets cannot be compared", n, len(set.Images)))
	}
	if o.compare != "" {
		if r.Comparison, err = o.comparison(ctx, set, r.Run, options); err != nil {
			return fmt.Errorf("--compare: %w", err)
		}
	}
	return o.write(r, stdout)
}

// needFiles checks every file argument before work starts.
func (o *options) needFiles() error {
	inputs := []string{"annotations", o.annotations, "results", o.results, "compare", o.compare, "meteor", o.meteor, "meteor-check", o.meteorCheck,
		"spice", o.spice, "features", o.features, "clip-vocab", o.clipVocab, "images", o.images, "training", o.training}
	outputs := []string{"per-image", o.perImage, "html", o.html, "submission", o.submission}
	if err := cli.NeedFiles(inputs...); err != nil {
		return err
	}
	if err := cli.NeedApart(outputs, inputs); err != nil {
		return err
	}
	return cli.NeedOutputs(outputs...)
}

// candidates are the captions to score: those of a file, or of a model that captions the images now.
func (o *options) candidates(ctx context.Context, set *annotation.Set, stderr io.Writer) ([]annotation.Pair, error) {
	if o.model != "" {
		pairs, err := o.caption(ctx, set, stderr)
		if err != nil {
			return nil, fmt.Errorf("--model: %w", err)
		}
		return pairs, nil
	}
	pairs, err := o.readResults(o.results, set)
	if err != nil {
		return nil, fmt.Errorf("--results: %w", err)
	}
	return pairs, nil
}

// readResults reads a result file and pairs it with the set.
func (o *options) readResults(path string, set *annotation.Set) ([]annotation.Pair, error) {
	res, err := annotation.ReadResults(path)
	if err != nil {
		return nil, err
	}
	if err := res.LineSeparators(ptb.LineSeparator, o.sanitize); err != nil {
		return nil, err
	}
	return annotation.Join(set, res, o.subset)
}

// nothingToScore ends a run over a test set whose human captions are withheld.
func (o *options) nothingToScore(stdout io.Writer) error {
	note := fmt.Sprintf("nothing scored: %s has no human captions", o.annotations)
	if o.json {
		return report.JSON(stdout, &report.Report{Run: &score.Run{Notes: []string{note}}})
	}
	_, err := fmt.Fprintf(stdout, "note: %s\n", note)
	return err
}

// means opens what the metrics need besides captions, CLIP aside, which is large and only looked for, and sees that a submission can be
// written.
func (o *options) means(set *annotation.Set) (score.Options, []string, error) {
	options := score.Options{Metrics: o.metricList, DFAll: o.df == "all", Bootstrap: o.bootstrap, Seed: o.seed}
	if o.submission != "" && !o.subset {
		if err := report.CheckSubmission(o.submission, set.Images); err != nil {
			return options, nil, fmt.Errorf("--submission: %w", err)
		}
	}
	if !set.HasReferences() {
		if o.submission == "" {
			return options, nil, fmt.Errorf("--annotations: %s has no human captions to score against (--submission writes the file its server scores)", o.annotations)
		}
		return options, nil, nil
	}
	var notes []string
	var err error
	if o.meteor != "" {
		if options.Meteor, err = meteor.Open(o.meteor); err != nil {
			return options, nil, fmt.Errorf("--meteor: %w", err)
		}
	}
	if o.spice != "" {
		options.Spice, err = spice.Open(o.spice)
		if errors.Is(err, spice.ErrNoJava) {
			notes = append(notes, fmt.Sprintf("--spice: %v", err))
		} else if err != nil {
			return options, nil, fmt.Errorf("--spice: %w", err)
		}
	}
	if o.scores() {
		if _, _, err := o.clipFiles(); err != nil {
			return options, nil, fmt.Errorf("clipscore: %w", err)
		}
	}
	if o.compare != "" {
		if _, err := o.readResults(o.compare, set); err != nil {
			return options, nil, fmt.Errorf("--compare: %w", err)
		}
	}
	if o.training != "" {
		if options.Training, err = trainingTokens(o.training); err != nil {
			return options, nil, fmt.Errorf("--training: %w", err)
		}
	}
	return options, notes, nil
}

// checked says how METEOR's own program compares.
func checked(c *meteor.Check, pairs []annotation.Pair) string {
	if c.Different == 0 {
		return fmt.Sprintf("--meteor-check: the jar gives the same statistics for each of %s", plural.Of(c.Images, "image"))
	}
	return fmt.Sprintf("--meteor-check: the jar gives other statistics for %d of %s, first for image id %s: ours %s, the jar's %s",
		c.Different, plural.Of(c.Images, "image"), pairs[c.First].ID, c.Ours, c.Theirs)
}

// trainingTokens reads and tokenizes the training captions.
func trainingTokens(path string) ([]string, error) {
	captions := []string{}
	_, err := annotation.Scan(path, annotation.Options{}, func(c annotation.Caption) error {
		captions = append(captions, c.Text)
		return nil
	})
	return ptb.Tokenize(captions), err
}

// comparison scores another system's results and compares.
func (o *options) comparison(ctx context.Context, set *annotation.Set, first *score.Run, options score.Options) ([]score.Comparison, error) {
	pairs, err := o.readResults(o.compare, set)
	if err != nil {
		return nil, err
	}
	plain := options
	plain.Bootstrap = 0
	second, err := score.New(ctx, pairs, plain)
	if err != nil {
		return nil, err
	}
	return score.Compare(first, second, options)
}

// write puts the report where it was asked for.
func (o *options) write(r *report.Report, stdout io.Writer) error {
	if o.perImage != "" {
		if err := files.Replace(o.perImage, func(w io.Writer) error { return report.PerImage(w, r.Run) }); err != nil {
			return fmt.Errorf("--per-image: %w", err)
		}
	}
	if o.html != "" {
		var thumbnails report.Thumbnail
		if o.images != "" {
			thumbnails = report.Thumbnails(o.images)
		}
		title := fmt.Sprintf("%s against %s", filepath.Base(o.results+o.model), filepath.Base(o.annotations))
		if err := files.Replace(o.html, func(w io.Writer) error { return report.HTML(w, title, r, thumbnails) }); err != nil {
			return fmt.Errorf("--html: %w", err)
		}
	}
	if o.json {
		return report.JSON(stdout, r)
	}
	return report.Text(stdout, r)
}
