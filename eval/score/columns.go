package score

import (
	"context"
	"errors"
	"fmt"

	"github.com/clipcap-go/clipcap/eval"
	"github.com/clipcap-go/clipcap/eval/meteor"
)

// columns computes the metrics that are wanted and possible, in the order of the table.
func (r *Run) columns(ctx context.Context, o *Options) error {
	corpus := eval.NewCorpus(r.images(r.all()))
	if o.Wants("bleu") {
		r.bleu(corpus)
	}
	if o.Wants("meteor") {
		if err := r.meteor(o.Meteor); err != nil {
			return err
		}
	}
	if o.Wants("rouge") {
		r.addMean("ROUGE_L", corpus.ROUGE())
	}
	if o.Wants("cider") {
		r.addMean("CIDEr", corpus.CIDEr())
		if len(r.Pairs) == 1 {
			r.note("CIDEr of a single image is always 0: its n-gram weights come from the other images")
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.Wants("spice") {
		if err := r.spice(ctx, o); err != nil {
			return err
		}
	}
	if o.Wants("clipscore") {
		return r.clipScore(ctx, o.Clip)
	}
	return nil
}

// addMean adds a metric whose corpus score is the mean of the images'.
func (r *Run) addMean(name string, images []float64) {
	r.Columns = append(r.Columns, Column{Name: name, Images: images, Pool: eval.MeanPool(images)})
}

// bleu adds BLEU-1 to BLEU-4.
func (r *Run) bleu(corpus *eval.Corpus) {
	stats := corpus.BLEU()
	var each [4][]float64
	for _, s := range stats {
		for n, v := range s.Score() {
			each[n] = append(each[n], v)
		}
	}
	for n := range each {
		r.Columns = append(r.Columns, Column{fmt.Sprintf("Bleu_%d", n+1), each[n], eval.BLEUPool(stats, n+1), true})
	}
}

// meteor adds METEOR, whose corpus score is that of the summed statistics.
func (r *Run) meteor(d *meteor.Data) error {
	if d == nil {
		r.note("METEOR not computed: it needs METEOR 1.5's own data (--meteor DIR)")
		return nil
	}
	stats, err := d.Score(r.Candidates, r.References)
	var long *meteor.TooLongError
	switch {
	case errors.As(err, &long):
		r.note("METEOR not computed: a caption of image id %s has %d words, METEOR takes at most %d here", r.Pairs[long.Image].ID, long.Words, meteor.MaxWords)
		return nil
	case err != nil:
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
	}, true})
	return nil
}

// spice adds SPICE.
func (r *Run) spice(ctx context.Context, o *Options) error {
	if o.Spice == nil {
		r.note("SPICE not computed: it needs the official jar (--spice DIR) and Java")
		return nil
	}
	images, unscored, err := o.Spice.Score(ctx, r.Candidates, r.References)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		r.note("SPICE not computed: %v", err)
		return nil
	case unscored > 0:
		r.note("SPICE gave no number for %s, counted as 0", plural(unscored, "image", "images"))
	}
	r.addMean("SPICE", images)
	return nil
}

// clipScore adds CLIPScore and RefCLIPScore. CLIP reads the captions as they are written, not their tokens.
func (r *Run) clipScore(ctx context.Context, clip Embedder) error {
	if clip == nil {
		r.note("CLIPScore not computed: it needs a CLIP (--clip MODEL) and the images (--images DIR)")
		return nil
	}
	images, err := clip.Images(ctx, r.Pairs)
	if err != nil {
		return err
	}
	var texts []string
	for _, p := range r.Pairs {
		texts = append(texts, eval.CLIPScorePrompt+p.Captions[0])
		for _, ref := range p.References {
			texts = append(texts, eval.CLIPScorePrompt+ref)
		}
	}
	features, err := clip.Texts(ctx, texts)
	if err != nil {
		return err
	}
	if len(features) != len(texts) {
		return fmt.Errorf("clipscore: features of %d texts, want %d", len(features), len(texts))
	}
	candidates, references := make([][]float32, len(r.Pairs)), make([][][]float32, len(r.Pairs))
	for i, p := range r.Pairs {
		n := len(p.References)
		candidates[i], references[i], features = features[0], features[1:1+n], features[1+n:]
	}
	own, err := eval.CLIPScore(images, candidates)
	if err != nil {
		return err
	}
	withReferences, err := eval.RefCLIPScore(own, candidates, references)
	if err != nil {
		return err
	}
	r.addMean("CLIPScore", own)
	r.addMean("RefCLIPScore", withReferences)
	return nil
}
