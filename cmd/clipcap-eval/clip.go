package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/data/extract"
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
	path, vocabulary, err := o.clipFiles()
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
	cli.BoundGarbage()
	return &imageText{encoder, o.images, stderr}, nil
}

// clipFiles finds CLIPScore's model and its vocabulary.
func (o *options) clipFiles() (model, vocabulary string, err error) {
	model = o.scoreClip()
	if !strings.HasPrefix(model, "random:") {
		if model, err = fetch.Locate(model); err != nil {
			return "", "", err
		}
	}
	vocabulary, err = o.vocabulary(model)
	return model, vocabulary, err
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

// encodedAtOnce is how many images are encoded together: enough for the products' full speed, and few enough that pixels and
// activations of a large encoder are small beside its weights.
const encodedAtOnce = 6

// Images reads and encodes the images, a few at a time. Of each there is the square that the encoder takes.
func (c *imageText) Images(ctx context.Context, pairs []annotation.Pair) ([][]float32, error) {
	var paths []string
	for _, p := range pairs {
		path, ok := report.ImageFile(c.images, p.Image)
		if !ok {
			return nil, fmt.Errorf("--images: image id %s: neither %q nor %s.jpg in %s", p.ID, p.File, p.ID, c.images)
		}
		paths = append(paths, path)
	}
	progress := cli.NewProgress(c.stderr, "images", int64(len(pairs)), false)
	defer progress.Done()
	var features [][]float32
	var batch []*clip.Image
	most, read := min(encodedAtOnce, c.encoder.Batch()), 0
	for im, err := range squares(ctx, c.encoder.ImageSize(), paths) {
		if err != nil {
			return nil, fmt.Errorf("--images: image id %s: %w", pairs[read].ID, err)
		}
		read++
		if batch = append(batch, im); len(batch) < most && read < len(pairs) {
			continue
		}
		rows, err := c.encoder.Encode(ctx, batch)
		if err != nil {
			return nil, err
		}
		features = append(features, rows...)
		progress.Add(int64(len(batch)))
		batch = batch[:0]
	}
	if read < len(pairs) {
		return nil, context.Cause(ctx)
	}
	return features, nil
}

// squares opens files one after the other, and of each yields what an encoder sees that takes squares of size pixels.
func squares(ctx context.Context, size int, paths []string) iter.Seq2[*clip.Image, error] {
	d := extract.NewDecoder(size, clip.ImageOptions{}, 0)
	item := func(i int) (*extract.Item, error) { return extract.FileItem(annotation.ID(paths[i]), paths[i]), nil }
	return func(yield func(*clip.Image, error) bool) {
		i := 0
		for im, err := range d.Images(ctx, len(paths), item) {
			if err != nil {
				err = fmt.Errorf("%s: %w", paths[i], err)
			}
			i++
			if !yield(im, err) {
				return
			}
		}
	}
}

// Texts encodes texts.
func (c *imageText) Texts(ctx context.Context, texts []string) ([][]float32, error) {
	return c.encoder.EncodeText(ctx, texts)
}
