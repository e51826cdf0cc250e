package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/score"
)

// options are the command line.
type options struct {
	annotations, results string
	dataset, split       string
	csvQuotes            bool
	metrics              string
	df                   string
	meteor               string
	bootstrap            int
	seed                 uint64
	subset, sanitize     bool
	json                 bool
	perImage             string
	tokenize             string
	version              bool

	metricList []string
}

const usage = `clipcap-eval scores captions against human ones as coco-caption does, with no Java and no Python.

  clipcap-eval --annotations FILE --results FILE [flags]
  clipcap-eval --tokenize FILE.txt

Annotations are COCO's, Karpathy's dataset_coco.json, nocaps' or Conceptual Captions' (TSV) files, {"id": ["caption", …]}, or
image_id/caption objects in a list or a line each. Results are COCO's list, {"id": "caption"}, or what clipcap-caption --json prints.

Flags:
`

const example = `
Example (copy and paste):
  echo '{"1": ["a dog runs on grass", "the dog is running"], "2": ["a red bus", "a bus in the street"]}' > refs.json
  echo '[{"image_id": 1, "caption": "A dog runs."}, {"image_id": 2, "caption": "A red bus in the street."}]' > results.json
  clipcap-eval --annotations refs.json --results results.json
`

func (o *options) flags() *flag.FlagSet {
	f := flag.NewFlagSet("clipcap-eval", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.annotations, "annotations", "", "`FILE` of human captions")
	f.StringVar(&o.results, "results", "", "`FILE` of the captions to score")
	f.StringVar(&o.dataset, "dataset", "", "what the annotations are: coco, nocaps or conceptual (default: go by the file)")
	f.StringVar(&o.split, "split", "", "split of Karpathy's file: train, restval, val or test (default test)")
	f.BoolVar(&o.csvQuotes, "csv-quotes", false, "Conceptual Captions: a leading \" quotes a field over tabs and line ends, as Python's csv reads it")
	f.StringVar(&o.metrics, "metrics", strings.Join(score.Metrics, ","), "`LIST` of metrics to compute")
	f.StringVar(&o.meteor, "meteor", "", "`DIR` of METEOR 1.5: pycocoevalcap's meteor folder, a METEOR checkout, or the jar")
	f.StringVar(&o.df, "df", "domain", "nocaps: CIDEr's document frequency from the images of the domain, or from all")
	f.IntVar(&o.bootstrap, "bootstrap", 1000, "resamples for 95 % confidence intervals, 0 for none")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the resamples")
	f.BoolVar(&o.subset, "subset", false, "score only the images that have a result (CIDEr's weights then come from these)")
	f.BoolVar(&o.sanitize, "sanitize", false, "turn line separators inside captions into spaces instead of refusing them")
	f.BoolVar(&o.json, "json", false, "print the scores as JSON")
	f.StringVar(&o.perImage, "per-image", "", "write each image's scores to a JSON `FILE`")
	f.StringVar(&o.tokenize, "tokenize", "", "`FILE` with a caption a line: print its PTB tokens, a line each, as the scorer sees them")
	f.BoolVar(&o.version, "version", false, "print the version")
	return f
}

// parse reads the command line; --help writes to stdout.
func parse(args []string, stdout io.Writer) (*options, error) {
	o := new(options)
	f := o.flags()
	f.Usage = func() {}
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		help(f, stdout)
		return nil, err
	case err != nil:
		return nil, misuse{err}
	case f.NArg() > 0:
		return nil, misuse{fmt.Errorf("unexpected argument %q", f.Arg(0))}
	}
	if o.version {
		return o, nil
	}
	if err := o.check(); err != nil {
		return nil, misuse{err}
	}
	return o, nil
}

// help prints every flag on one line, with its default where that says something.
func help(f *flag.FlagSet, w io.Writer) {
	fmt.Fprint(w, usage)
	f.VisitAll(func(g *flag.Flag) {
		name, text := flag.UnquoteUsage(g)
		if name == "string" || name == "value" {
			name = "TEXT"
		}
		if g.DefValue != "" && g.DefValue != "0" && g.DefValue != "false" {
			text += " (default " + g.DefValue + ")"
		}
		fmt.Fprintf(w, "  --%-22s %s\n", strings.TrimSpace(g.Name+" "+strings.ToUpper(name)), text)
	})
	fmt.Fprint(w, example)
}

// check refuses contradictions and unknown values before any work.
func (o *options) check() error {
	if o.tokenize != "" {
		if o.annotations != "" || o.results != "" {
			return errors.New("--tokenize stands alone: it scores nothing")
		}
		return nil
	}
	switch {
	case o.annotations == "":
		return errors.New("--annotations is missing")
	case o.results == "":
		return errors.New("--results is missing")
	case o.dataset != "" && !slices.Contains(annotation.Datasets, o.dataset):
		return fmt.Errorf("--dataset %s: want one of %s", o.dataset, strings.Join(annotation.Datasets, ", "))
	case o.split != "" && !slices.Contains(annotation.Splits, o.split):
		return fmt.Errorf("--split %s: want one of %s", o.split, strings.Join(annotation.Splits, ", "))
	case o.df != "domain" && o.df != "all":
		return fmt.Errorf("--df %s: want domain or all", o.df)
	case o.bootstrap < 0 || o.bootstrap > 1e6:
		return fmt.Errorf("--bootstrap %d: want 0 to 1000000", o.bootstrap)
	}
	for m := range strings.SplitSeq(o.metrics, ",") {
		m = strings.ToLower(strings.TrimSpace(m))
		if !slices.Contains(score.Metrics, m) {
			return fmt.Errorf("--metrics: unknown metric %q, want a list of %s", m, strings.Join(score.Metrics, ", "))
		}
		o.metricList = append(o.metricList, m)
	}
	return nil
}
