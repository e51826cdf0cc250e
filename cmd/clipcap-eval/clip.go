package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/report"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights/fetch"
)

// imageText is a CLIP with a folder of images, as package score wants one.
type imageText struct {
	encoder *clip.Encoder
	images  string
	stderr  io.Writer // for progress
}

// vocabularies are the names under which CLIP's merges lie beside a model.
var vocabularies = []string{"bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt", "merges.txt"}

// openClip opens CLIPScore's model, with both its towers and its vocabulary.
func (o *options) openClip(stderr io.Writer) (*imageText, error) {
	path := o.scoreClip()
	if !strings.HasPrefix(path, "random:") {
		var err error
		if path, err = fetch.Locate(path); err != nil {
			return nil, err
		}
	}
	vocabulary, err := o.vocabulary(path)
	if err != nil {
		return nil, err
	}
	tokenizer, err := clip.OpenTokenizer(vocabulary)
	if err != nil {
		return nil, err
	}
	device, err := nn.ParseGemm(o.device, o.gemm)
	if err != nil {
		return nil, cli.Misusef("--%w", err)
	}
	encoder, err := clip.Open(path, clip.Options{Device: device, Text: true, Tokenizer: tokenizer, Activation: clip.Activation(o.activation)})
	if err != nil {
		return nil, err
	}
	return &imageText{encoder, o.images, stderr}, nil
}

// scoreClip is CLIPScore's model.
func (o *options) scoreClip() string {
	if o.clipScore != "" {
		return o.clipScore
	}
	return o.clip
}

// vocabulary is the file of CLIP's vocabulary where none is named: beside the model, or as it was fetched.
func (o *options) vocabulary(model string) (string, error) {
	if o.clipVocab != "" {
		return o.clipVocab, nil
	}
	dir := model
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	for _, name := range vocabularies {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name), nil
		}
	}
	path, err := fetch.Locate("clip-vocabulary")
	if err != nil {
		return "", fmt.Errorf("no %s beside %s (--clip-vocab names it): %w", vocabularies[0], model, err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, vocabularies[0])
	}
	return path, nil
}

// Images reads and encodes the images, a batch at a time.
func (c *imageText) Images(ctx context.Context, pairs []annotation.Pair) ([][]float32, error) {
	progress := cli.NewProgress(c.stderr, "images", int64(len(pairs)), false)
	defer progress.Done()
	var features [][]float32
	for at := 0; at < len(pairs); at += c.encoder.Batch() {
		batch, err := c.read(pairs[at:min(at+c.encoder.Batch(), len(pairs))])
		if err != nil {
			return nil, fmt.Errorf("--images: %w", err)
		}
		rows, err := c.encoder.Encode(ctx, batch)
		if err != nil {
			return nil, err
		}
		features = append(features, rows...)
		progress.Add(int64(len(batch)))
	}
	return features, nil
}

// read decodes the images of some pairs side by side.
func (c *imageText) read(pairs []annotation.Pair) ([]*clip.Image, error) {
	images, errs := make([]*clip.Image, len(pairs)), make([]error, len(pairs))
	var wg sync.WaitGroup
	for i, p := range pairs {
		path, ok := report.ImageFile(c.images, p.Image)
		if !ok {
			return nil, fmt.Errorf("image id %s: neither %q nor %s.jpg in %s", p.ID, p.File, p.ID, c.images)
		}
		wg.Go(func() {
			var err error
			if images[i], err = clip.OpenImage(path); err != nil {
				errs[i] = fmt.Errorf("image id %s: %w", p.ID, err)
			}
		})
	}
	wg.Wait()
	return images, errors.Join(errs...)
}

// Texts encodes texts.
func (c *imageText) Texts(ctx context.Context, texts []string) ([][]float32, error) {
	return c.encoder.EncodeText(ctx, texts)
}
