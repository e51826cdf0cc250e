// Package score runs the metrics over a data set and a system's results and holds what came out: corpus scores with confidence
// intervals, columns for each domain, scores of each image, the comparison of two systems, and notes on what should be known about
// the numbers.
package score

import (
	"context"
	"fmt"
	"slices"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval"
	"github.com/clipcap-go/clipcap/eval/meteor"
	"github.com/clipcap-go/clipcap/eval/ptb"
	"github.com/clipcap-go/clipcap/eval/spice"
)

// Metrics are the names Options.Metrics takes, in the order of the table.
var Metrics = []string{"bleu", "meteor", "rouge", "cider", "spice", "clipscore", "diversity"}

// Default are the metrics of the COCO server.
var Default = Metrics[:5]

// Options say what to compute and with what. A metric that lacks its means is left out, and a note says so.
type Options struct {
	Metrics   []string     // names from Metrics
	DFAll     bool         // nocaps: take CIDEr's document frequency from all images, not from those of the domain
	Bootstrap int          // resamples for confidence intervals, 0 for none
	Seed      uint64       // of the resamples
	Meteor    *meteor.Data // METEOR's data
	Spice     *spice.Jar   // SPICE's program
	Clip      Embedder     // CLIP, for CLIPScore
	Training  []string     // tokens of the training captions, for the portion of novel ones
}

// Wants reports whether a metric is asked for.
func (o *Options) Wants(metric string) bool { return slices.Contains(o.Metrics, metric) }

// An Embedder is a CLIP with the images of a run.
type Embedder interface {
	// Images returns the feature of each pair's image.
	Images(ctx context.Context, pairs []annotation.Pair) ([][]float32, error)
	// Texts returns the feature of each text.
	Texts(ctx context.Context, texts []string) ([][]float32, error)
}

// A Column is one metric over all images of a run.
type Column struct {
	Name   string    // as the COCO server names it
	Images []float64 // an image's score, in the run's order
	Pool   eval.Pool // the corpus score of some of them
	summed bool      // Pool sums statistics; else it is a mean
}

// A Score is a column's corpus score.
type Score struct {
	Name     string
	Value    float64
	Interval *eval.Interval // nil without bootstrap
}

// A Domain is a part of the data set with scores of its own.
type Domain struct {
	Name   string
	Images []int // numbers of its images in the run
	Scores []Score
}

// A Run is one system's captions, scored.
type Run struct {
	Pairs      []annotation.Pair
	Candidates []string // tokens
	References [][]string
	Columns    []Column
	Corpus     []Score
	Domains    []Domain // empty where the data set has none
	Diversity  *eval.Diversity
	Notes      []string
}

// New scores the pairs of a data set's images and a system's captions. Once ctx has ended it gives up behind the metric that it is at.
func New(ctx context.Context, pairs []annotation.Pair, o Options) (*Run, error) {
	for i, p := range pairs {
		if p.Image == nil || len(p.Captions) == 0 {
			return nil, fmt.Errorf("score: pair %d lacks its image or a caption", i)
		}
	}
	r := &Run{Pairs: pairs}
	r.tokenize()
	if err := r.columns(ctx, &o); err != nil {
		return nil, err
	}
	r.Corpus = scores(ctx, r.Columns, r.all(), &o)
	r.domains(ctx, &o)
	if o.Wants("diversity") {
		d := eval.MeasureDiversity(r.samples())
		if o.Training != nil {
			novel := eval.Novel(r.Candidates, o.Training)
			d.Novel = &novel
		}
		r.Diversity = &d
	}
	return r, ctx.Err()
}

// tokenize lexes all references as one stream and all candidates as another, in the order of the images.
func (r *Run) tokenize() {
	var refs, cands []string
	for _, p := range r.Pairs {
		refs = append(refs, p.References...)
		cands = append(cands, p.Captions[0])
	}
	done := make(chan []string)
	go func() { done <- ptb.Tokenize(cands) }()
	refs = ptb.Tokenize(refs)
	r.Candidates = <-done
	empty := 0
	for i, p := range r.Pairs {
		n := len(p.References)
		r.References = append(r.References, refs[:n:n])
		refs = refs[n:]
		if r.Candidates[i] == "" {
			empty++
		}
	}
	if empty > 0 {
		r.note("%s no word and scored as the reference programs score an empty one", plural(empty, "caption has", "captions have"))
	}
}

// samples tokenizes every caption of every image, for the diversity of several samples.
func (r *Run) samples() [][]string {
	var all []string
	for _, p := range r.Pairs {
		all = append(all, p.Captions...)
	}
	all = ptb.Tokenize(all)
	samples := make([][]string, len(r.Pairs))
	for i, p := range r.Pairs {
		n := len(p.Captions)
		samples[i], all = all[:n:n], all[n:]
	}
	return samples
}

func (r *Run) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// all are the numbers of the run's images.
func (r *Run) all() []int {
	all := make([]int, len(r.Pairs))
	for i := range all {
		all[i] = i
	}
	return all
}

// images returns the tokens of some images.
func (r *Run) images(picks []int) []eval.Image {
	out := make([]eval.Image, len(picks))
	for k, i := range picks {
		out[k] = eval.Image{Candidate: r.Candidates[i], References: r.References[i]}
	}
	return out
}

// scores pools columns over some images, until ctx ends.
func scores(ctx context.Context, columns []Column, picks []int, o *Options) []Score {
	var out []Score
	for _, c := range columns {
		if ctx.Err() != nil {
			break
		}
		s := Score{Name: c.Name, Value: c.corpus(picks)}
		if o.Bootstrap > 0 {
			i := eval.Bootstrap(picks, o.Bootstrap, o.Seed, c.Pool)
			s.Interval = &i
		}
		out = append(out, s)
	}
	return out
}

// corpus is Pool, summed as the published tools sum where it is a mean of all images.
func (c *Column) corpus(picks []int) float64 {
	if c.summed {
		return c.Pool(picks)
	}
	x := make([]float64, len(picks))
	for k, i := range picks {
		x[k] = c.Images[i]
	}
	return eval.Mean(x)
}

// plural puts a count before a word.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
