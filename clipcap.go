// Package clipcap writes captions for photos: ClipCap (Mokady, Hertz and Bermano 2021, arXiv 2111.09734) in Go.
//
//	model, err := clipcap.Open(ctx, "coco", clipcap.Options{})
//	captions, err := model.Caption(ctx, photo)
//	fmt.Println(captions[0][0].Text)
//
// A model is a trained checkpoint of ours, a .pt file of the original, or the name of a published one. CLIP turns
// a photo into a feature, a mapping network turns the feature into a prefix, and GPT-2 continues the prefix with words.
package clipcap

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"math"
	"slices"
	"sync"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/nn"
)

// Model captions images. It may be used by any number of goroutines.
type Model struct {
	options    Options
	checkpoint *checkpoint.Checkpoint
	lm         *gpt2.Model
	tokenizer  *gpt2.Tokenizer // nil: the vocabulary has no texts
	encoder    *clip.Encoder   // nil: features only
	prompt     []int32

	mapperBackend, lmBackend nn.Backend

	mu   sync.Mutex // of what follows, and of building graphs
	idle []*worker
}

// Caption is a text for an image.
type Caption struct {
	// Text is empty where the language model's tokens have no texts, as in a random model without a vocabulary.
	Text string
	// Tokens are the text's, those of the prompt first, the stop token last where it was written.
	Tokens []int32
	// Score is the mean natural log-probability of the tokens after the prompt: 0 at most.
	Score float64
}

// Caption captions images. Each gets as many captions as Options.Decode.N asks for, best first. The first error ends it.
func (m *Model) Caption(ctx context.Context, images ...image.Image) ([][]Caption, error) {
	return gather(m.CaptionAll(ctx, withoutErrors(slices.Values(images))), len(images))
}

// CaptionAll captions a stream of images and yields the captions of each in the stream's order. An error that comes
// with an image, or one about it, is yielded in the image's place and the rest goes on; the caller stops by leaving
// the loop. After an error that concerns all, such as the end of ctx, nothing follows.
func (m *Model) CaptionAll(ctx context.Context, images iter.Seq2[image.Image, error]) iter.Seq2[[]Caption, error] {
	return m.CaptionImages(ctx, convert(images))
}

// convert brings images to clip's form.
func convert(images iter.Seq2[image.Image, error]) iter.Seq2[*clip.Image, error] {
	return func(yield func(*clip.Image, error) bool) {
		for m, err := range images {
			var c *clip.Image
			switch {
			case err != nil:
			case m == nil || m.Bounds().Empty():
				err = errors.New("caption: the image is empty")
			case m.Bounds().Dx() > math.MaxInt32/m.Bounds().Dy(): // an image.Uniform, say, which is endless
				err = fmt.Errorf("caption: the image has %d×%d pixels, which is too many", m.Bounds().Dx(), m.Bounds().Dy())
			default:
				c = clip.FromImage(m)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// CaptionImages is CaptionAll for images as clip.OpenImage and clip.DecodeImage read them, which is how the original saw
// them.
func (m *Model) CaptionImages(ctx context.Context, images iter.Seq2[*clip.Image, error]) iter.Seq2[[]Caption, error] {
	return m.CaptionFeatures(ctx, m.Features(ctx, images))
}

// encodedAtOnce is how many images are encoded together: enough for the products' full speed, and few enough that pixels and
// activations of a large encoder are small beside its weights.
const encodedAtOnce = 6

// heldBytes is the largest image, in bytes, that waits as it is for others to be encoded with it. Of a larger one only the square that the
// encoder sees waits, cut as soon as the image comes.
const heldBytes = 1 << 20

// small cuts large images to their squares before they wait for others.
func (m *Model) small(images iter.Seq2[*clip.Image, error]) iter.Seq2[*clip.Image, error] {
	return func(yield func(*clip.Image, error) bool) {
		for im, err := range images {
			if err == nil && im != nil && im.Bytes() > heldBytes {
				im, err = im.Squared(m.ImageSize())
			}
			if !yield(im, err) {
				return
			}
		}
	}
}

// ImageSize is the side in pixels of the square that the model's CLIP sees, 0 without one.
func (m *Model) ImageSize() int {
	if m.encoder == nil {
		return 0
	}
	return m.encoder.ImageSize()
}

// Features encodes a stream of images with the model's CLIP: yields a feature [Config().Feature] for each, in the stream's order and not
// normalised, with errors as in CaptionAll. Without an encoder the only error is ErrNoCLIP.
func (m *Model) Features(ctx context.Context, images iter.Seq2[*clip.Image, error]) iter.Seq2[[]float32, error] {
	if m.encoder == nil {
		return func(yield func([]float32, error) bool) { yield(nil, ErrNoCLIP) }
	}
	n := min(m.encoder.Batch(), m.options.Decode.Batch, encodedAtOnce)
	return batched(m.small(images), n, func(batch []*clip.Image) ([][]float32, error) { return m.encoder.Encode(ctx, batch) })
}

// PixelFeatures is Features for images that are ready for CLIP: float32 [3, size, size] each, of ImageSize, with CLIP's mean taken off
// and divided by its deviation. One of another size is an error in its place.
func (m *Model) PixelFeatures(ctx context.Context, pixels iter.Seq2[[]float32, error]) iter.Seq2[[]float32, error] {
	if m.encoder == nil {
		return func(yield func([]float32, error) bool) { yield(nil, ErrNoCLIP) }
	}
	size := m.ImageSize()
	checked := func(yield func([]float32, error) bool) {
		for p, err := range pixels {
			if err == nil && len(p) != 3*size*size {
				err = fmt.Errorf("an image of %d numbers, want 3·%d·%d", len(p), size, size)
			}
			if !yield(p, err) {
				return
			}
		}
	}
	n := min(m.encoder.Batch(), m.options.Decode.Batch, encodedAtOnce)
	return batched(checked, n, func(batch [][]float32) ([][]float32, error) {
		return m.encoder.EncodePixels(ctx, slices.Concat(batch...))
	})
}

// CaptionFeatures is CaptionAll for CLIP features [Config().Feature], unnormalised: they are divided by their length here where the
// model wants them so. One of another width is a *WidthError in its place.
func (m *Model) CaptionFeatures(ctx context.Context, features iter.Seq2[[]float32, error]) iter.Seq2[[]Caption, error] {
	return func(yield func([]Caption, error) bool) {
		w, err := m.worker()
		if err != nil {
			yield(nil, err)
			return
		}
		defer m.release(w)
		for found, err := range w.decoder.Decode(ctx, w.prompts(ctx, features)) {
			var captions []Caption
			if err == nil {
				captions, err = m.texts(found)
			}
			if !yield(captions, err) {
				return
			}
		}
	}
}

// texts reads what the decoder wrote.
func (m *Model) texts(found []gpt2.Caption) ([]Caption, error) {
	captions := make([]Caption, len(found))
	for i, c := range found {
		if math.IsNaN(c.Score) {
			return nil, errNotFinite
		}
		captions[i] = Caption{Tokens: c.Tokens, Score: c.Score}
		if m.tokenizer == nil {
			continue
		}
		text, err := m.tokenizer.Decode(c.Tokens)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		captions[i].Text = gpt2.CleanUp(text)
	}
	return captions, nil
}

// errNotFinite takes the place of a caption that would mean nothing: a single NaN or infinity among the weights spoils all that is computed
// with it.
var errNotFinite = errors.New("the model computes NaN: some of its weights are not finite (clipcap-weights verify counts them), or the feature is far too large")

// Config says what the model is.
func (m *Model) Config() checkpoint.Config { return m.checkpoint.Config }

// Original tells whether the model comes from a file of the original, whose Config holds what the shapes, a preset
// and the options say.
func (m *Model) Original() bool { return m.checkpoint.Original }

// gather is a stream's captions, or its first error.
func gather(stream iter.Seq2[[]Caption, error], n int) ([][]Caption, error) {
	all := make([][]Caption, 0, n)
	for c, err := range stream {
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", len(all), err)
		}
		all = append(all, c)
	}
	return all, nil
}

// withoutErrors makes a stream of values one of values and errors.
func withoutErrors[T any](values iter.Seq[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}
