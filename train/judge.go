package train

import (
	"context"
	"fmt"

	"github.com/clipcap-go/clipcap/eval"
	"github.com/clipcap-go/clipcap/eval/ptb"
)

// Judge scores captions that the model writes, by CIDEr.
type Judge struct {
	Images     []string   // ids
	References [][]string // human captions of each, at least one
	// Write writes a caption for each image; see Writer.
	Write func(ctx context.Context) ([]string, error)
	// Samples is how many captions go to the log.
	Samples int
}

// score writes the captions and compares them with the references.
func (j *Judge) score(ctx context.Context) (float64, []Sample, error) {
	written, err := j.Write(ctx)
	if err != nil {
		return 0, nil, fmt.Errorf("write validation captions: %w", err)
	}
	if len(written) != len(j.Images) {
		return 0, nil, fmt.Errorf("write validation captions: %d for %d images", len(written), len(j.Images))
	}
	var samples []Sample
	for i := range min(j.Samples, len(written)) {
		samples = append(samples, Sample{j.Images[i], written[i], j.References[i][0]})
	}
	score, err := cider(written, j.References)
	return score, samples, err
}

// cider is the corpus score of captions against references.
func cider(captions []string, references [][]string) (float64, error) {
	var flat []string
	for i, refs := range references {
		if len(refs) == 0 {
			return 0, fmt.Errorf("validation image %d has no human caption", i+1)
		}
		flat = append(flat, refs...)
	}
	words, written := ptb.Tokenize(flat), ptb.Tokenize(captions)
	images := make([]eval.Image, len(captions))
	for i, refs := range references {
		images[i] = eval.Image{Candidate: written[i], References: words[:len(refs)]}
		words = words[len(refs):]
	}
	return eval.Mean(eval.NewCorpus(images).CIDEr()), nil
}
