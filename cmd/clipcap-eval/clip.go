package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/report"
)

// imageText is a CLIP with a folder of images, as package score wants one.
type imageText struct {
	encoder *clip.Encoder
	images  string
}

// vocabularies are the names under which CLIP's merges lie beside a model.
var vocabularies = []string{"bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt", "merges.txt"}

// openClip opens a model with both its towers and the vocabulary, which lies beside the model where none is named.
func openClip(model, vocabulary, images string) (*imageText, error) {
	if vocabulary == "" {
		dir := model
		if info, err := os.Stat(model); err != nil || !info.IsDir() {
			dir = filepath.Dir(model)
		}
		for _, name := range vocabularies {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				vocabulary = filepath.Join(dir, name)
				break
			}
		}
		if vocabulary == "" {
			return nil, fmt.Errorf("no %s beside %s: name CLIP's vocabulary with --clip-vocab", vocabularies[0], model)
		}
	}
	tokenizer, err := clip.OpenTokenizer(vocabulary)
	if err != nil {
		return nil, err
	}
	encoder, err := clip.Open(model, clip.Options{Text: true, Tokenizer: tokenizer})
	if err != nil {
		return nil, err
	}
	return &imageText{encoder, images}, nil
}

// Images reads and encodes the images, a batch at a time.
func (c *imageText) Images(ctx context.Context, pairs []annotation.Pair) ([][]float32, error) {
	var features [][]float32
	for at := 0; at < len(pairs); at += c.encoder.Batch() {
		var batch []*clip.Image
		for _, p := range pairs[at:min(at+c.encoder.Batch(), len(pairs))] {
			path, ok := report.ImageFile(c.images, p.Image)
			if !ok {
				return nil, fmt.Errorf("--images: image id %s: no file %q in %s", p.ID, p.File, c.images)
			}
			im, err := clip.OpenImage(path)
			if err != nil {
				return nil, fmt.Errorf("--images: image id %s: %w", p.ID, err)
			}
			batch = append(batch, im)
		}
		rows, err := c.encoder.Encode(ctx, batch)
		if err != nil {
			return nil, err
		}
		features = append(features, rows...)
	}
	return features, nil
}

// Texts encodes texts.
func (c *imageText) Texts(ctx context.Context, texts []string) ([][]float32, error) {
	return c.encoder.EncodeText(ctx, texts)
}
