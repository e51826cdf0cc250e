// Package score runs the metrics over a data set and a system's results and holds what came out: corpus scores with confidence
// intervals, columns for each domain, scores of each image, the comparison of two systems, and notes on what should be known about
// the numbers.
package score

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval"
	"github.com/clipcap-go/clipcap/eval/meteor"
	"github.com/clipcap-go/clipcap/eval/ptb"
)

// Metrics are the names Options.Metrics takes, in the order of the table.
var Metrics = []string{"bleu", "meteor", "rouge", "cider", "spice", "diversity"}

// Options say what to compute.
type Options struct {
	Metrics   []string     // names from Metrics
	DFAll     bool         // nocaps: take CIDEr's document frequency from all images, not from those of the domain
	Bootstrap int          // resamples for confidence intervals, 0 for none
	Seed      uint64       // of the resamples
	Meteor    *meteor.Data // nil where the user has none; METEOR is absent then
}

func (o Options) wants(metric string) bool { return slices.Contains(o.Metrics, metric) }

// A Column is one metric over all images of a run.
type Column struct {
	Name   string    // as the COCO server names it
	Images []float64 // an image's score, in the run's order
	Pool   eval.Pool // the corpus score of some of them
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

// New scores the pairs of a data set's images and a system's captions.
func New(pairs []annotation.Pair, o Options) (*Run, error) {
	r := &Run{Pairs: pairs}
	r.tokenize()
	if err := r.columns(o); err != nil {
		return nil, err
	}
	all := make([]int, len(pairs))
	for i := range all {
		all[i] = i
	}
	r.Corpus = scores(r.Columns, all, o)
	r.domains(o)
	if o.wants("spice") {
		r.note("SPICE not computed: it needs the official jar and Java")
	}
	if o.wants("diversity") {
		d := eval.MeasureDiversity(r.samples())
		r.Diversity = &d
	}
	return r, nil
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
		r.note("%s no word and scored accordingly", plural(empty, "caption has", "captions have"))
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

// images returns the tokens of some images.
func (r *Run) images(picks []int) []eval.Image {
	out := make([]eval.Image, len(picks))
	for k, i := range picks {
		out[k] = eval.Image{Candidate: r.Candidates[i], References: r.References[i]}
	}
	return out
}

// columns computes the metrics that are wanted and possible, in the order of the table.
func (r *Run) columns(o Options) error {
	all := make([]eval.Image, len(r.Pairs))
	for i := range all {
		all[i] = eval.Image{Candidate: r.Candidates[i], References: r.References[i]}
	}
	corpus := eval.NewCorpus(all)
	if o.wants("bleu") {
		stats := corpus.BLEU()
		var each [4][]float64
		for _, s := range stats {
			for n, v := range s.Score() {
				each[n] = append(each[n], v)
			}
		}
		for n := range each {
			r.Columns = append(r.Columns, Column{fmt.Sprintf("Bleu_%d", n+1), each[n], eval.BLEUPool(stats, n+1)})
		}
	}
	if o.wants("meteor") {
		if err := r.meteor(o.Meteor); err != nil {
			return err
		}
	}
	if o.wants("rouge") {
		r.addMean("ROUGE_L", corpus.ROUGE())
	}
	if o.wants("cider") {
		r.addMean("CIDEr", corpus.CIDEr())
		if len(r.Pairs) == 1 {
			r.note("CIDEr of a single image is always 0: its n-gram weights come from the other images")
		}
	}
	return nil
}

// meteor adds METEOR, whose corpus score is that of the summed statistics.
func (r *Run) meteor(d *meteor.Data) error {
	if d == nil {
		r.note("METEOR not computed: it needs METEOR 1.5's own data (--meteor DIR)")
		return nil
	}
	stats, err := d.Score(r.Candidates, r.References)
	if err != nil {
		return err
	}
	images := make([]float64, len(stats))
	for i, s := range stats {
		images[i] = s.Score()
	}
	r.Columns = append(r.Columns, Column{"METEOR", images, func(picks []int) float64 {
		var sum meteor.Stats
		for _, i := range picks {
			sum.Add(stats[i])
		}
		return sum.Score()
	}})
	return nil
}

func (r *Run) addMean(name string, images []float64) {
	r.Columns = append(r.Columns, Column{name, images, eval.MeanPool(images)})
}

// scores pools columns over some images.
func scores(columns []Column, picks []int, o Options) []Score {
	var out []Score
	for _, c := range columns {
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
func (c Column) corpus(picks []int) float64 {
	if strings.HasPrefix(c.Name, "Bleu") || c.Name == "METEOR" {
		return c.Pool(picks)
	}
	x := make([]float64, len(picks))
	for k, i := range picks {
		x[k] = c.Images[i]
	}
	return eval.Mean(x)
}

// domains scores each domain of nocaps. CIDEr's document frequency is taken inside a domain unless the options say otherwise.
func (r *Run) domains(o Options) {
	for _, name := range annotation.Domains {
		var picks []int
		for i, p := range r.Pairs {
			if p.Domain == name {
				picks = append(picks, i)
			}
		}
		if len(picks) == 0 {
			continue
		}
		columns := slices.Clone(r.Columns)
		for k, c := range columns {
			if c.Name == "CIDEr" && !o.DFAll {
				columns[k] = r.domainCIDEr(picks)
			}
		}
		r.Domains = append(r.Domains, Domain{name, picks, scores(columns, picks, o)})
	}
	if len(r.Domains) == 0 || !o.wants("cider") {
		return
	}
	if o.DFAll {
		r.note("CIDEr of a domain takes its document frequency from all %d images (--df all)", len(r.Pairs))
	} else {
		r.note("CIDEr of a domain takes its document frequency from the domain's own images, as scoring a file for each domain does (--df all takes it from all)")
	}
}

// domainCIDEr is CIDEr with document frequency from some images; the others' scores are left 0.
func (r *Run) domainCIDEr(picks []int) Column {
	images := make([]float64, len(r.Pairs))
	for k, v := range eval.NewCorpus(r.images(picks)).CIDEr() {
		images[picks[k]] = v
	}
	return Column{"CIDEr", images, eval.MeanPool(images)}
}

// plural puts a count before a word.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
