package main

import (
	"fmt"
	"io"
	"os"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/meteor"
	"github.com/clipcap-go/clipcap/eval/ptb"
	"github.com/clipcap-go/clipcap/eval/report"
	"github.com/clipcap-go/clipcap/eval/score"
)

// do carries the command out.
func (o *options) do(stdout, stderr io.Writer) error {
	switch {
	case o.version:
		_, err := fmt.Fprintln(stdout, "clipcap-eval", version)
		return err
	case o.tokenize != "":
		return tokenize(o.tokenize, stdout)
	}
	return o.evaluate(stdout)
}

// evaluate reads, scores and reports.
func (o *options) evaluate(stdout io.Writer) error {
	for _, path := range []string{o.annotations, o.results} {
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	set, err := annotation.Read(o.annotations, annotation.Options{Dataset: o.dataset, Split: o.split, CSVQuotes: o.csvQuotes})
	if err != nil {
		return fmt.Errorf("--annotations: %w", err)
	}
	if err := set.LineSeparators(ptb.LineSeparator, o.sanitize); err != nil {
		return err
	}
	pairs, err := o.readResults(o.results, set)
	if err != nil {
		return fmt.Errorf("--results: %w", err)
	}
	options := score.Options{Metrics: o.metricList, DFAll: o.df == "all", Bootstrap: o.bootstrap, Seed: o.seed}
	if o.meteor != "" {
		if options.Meteor, err = meteor.Open(o.meteor); err != nil {
			return fmt.Errorf("--meteor: %w", err)
		}
	}
	run, err := score.New(pairs, options)
	if err != nil {
		return err
	}
	if n := len(set.Images) - len(pairs); n > 0 {
		run.Notes = append(run.Notes, fmt.Sprintf("--subset: %d of %d images have no result and are left out; scores of other subsets cannot be compared", n, len(set.Images)))
	}
	if o.perImage != "" {
		if err := writeFile(o.perImage, func(w io.Writer) error { return report.PerImage(w, run) }); err != nil {
			return fmt.Errorf("--per-image: %w", err)
		}
	}
	if o.json {
		return report.JSON(stdout, run)
	}
	return report.Text(stdout, run)
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

// writeFile creates path and closes it whatever happens; an error leaves no half file behind.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			os.Remove(path)
		}
	}()
	return write(f)
}
