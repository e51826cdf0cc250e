package clip

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/clipcap-go/clipcap/nn"
)

// Options say how an Encoder works. The zero value encodes images in full precision.
type Options struct {
	Precision  nn.Precision // of matrix products
	Device     nn.Device    // where it computes
	Activation Activation   // for files that do not tell theirs; empty: what the file says
	Batch      int          // most images or texts computed at once; 0: 64
	Text       bool         // load the text encoder too
	Tokenizer  *Tokenizer   // for EncodeText
	Seed       uint64       // of a random model
}

// Encoder turns images, and texts, into features. It may be used by any number of goroutines; one batch is computed
// at a time, on all cores.
type Encoder struct {
	model   *Model
	options Options
	backend nn.Backend
	turn    chan struct{} // holds a token while nobody computes
	graphs  map[graphKey]*graph
}

// Open loads a CLIP: a file or a folder (OpenAI's, open_clip's and Hugging Face's are known), or "random:" and a
// configuration file or published name, for a random model.
func Open(name string, o Options) (*Encoder, error) {
	backend, err := o.Device.OpenInference(o.Precision)
	if err != nil {
		return nil, err
	}
	to, _ := backend.(nn.Holder) // or nil: one that keeps no weights
	var m *Model
	if spec, ok := strings.CutPrefix(name, "random:"); ok {
		m, err = random(to, spec, o.Seed, o.Text)
	} else {
		m, err = loadTo(to, name, o.Activation, o.Text)
	}
	if err != nil {
		return nil, err
	}
	return encoderOn(backend, m, o), nil
}

// encoderOn is an encoder of a model on a backend, whose weights may have gone there.
func encoderOn(backend nn.Backend, m *Model, o Options) *Encoder {
	if o.Batch < 1 {
		o.Batch = 64
	}
	e := &Encoder{model: m, options: o, backend: backend, turn: make(chan struct{}, 1), graphs: map[graphKey]*graph{}}
	e.turn <- struct{}{}
	return e
}

// Config is the model's configuration.
func (e *Encoder) Config() Config { return e.model.Config }

// Dim is the width of a feature.
func (e *Encoder) Dim() int { return e.model.Config.Embed }

// ImageSize is the side in pixels of the square the encoder sees.
func (e *Encoder) ImageSize() int { return e.model.Config.Vision.ImageSize }

// Batch is the most images or texts computed at once.
func (e *Encoder) Batch() int { return e.options.Batch }

// Encode turns images into features [Dim], one an image in their order, unnormalised as CLIP's encode_image. One image that cannot be
// cut to its square is an error of all.
func (e *Encoder) Encode(ctx context.Context, images []*Image) ([][]float32, error) {
	return e.encodeImages(ctx, pooled, images)
}

// EncodeTokens gives for each image what all rows of a vision transformer become, [1+patches, Dim] end to end: the feature, then a row
// for each patch, row by row. A ResNet has none, which is an error.
func (e *Encoder) EncodeTokens(ctx context.Context, images []*Image) ([][]float32, error) {
	if e.model.ViT == nil {
		return nil, errors.New("encode tokens: a ResNet has no tokens, it takes a vision transformer")
	}
	return e.encodeImages(ctx, unpooled, images)
}

func (e *Encoder) encodeImages(ctx context.Context, k kind, images []*Image) ([][]float32, error) {
	squares, err := e.squares(ctx, images)
	if err != nil {
		return nil, fmt.Errorf("encode images: %w", err)
	}
	return e.encodeSquares(ctx, k, squares)
}

// squares cuts the images in parallel.
func (e *Encoder) squares(ctx context.Context, images []*Image) ([][]byte, error) {
	squares, errs := make([][]byte, len(images)), make([]error, len(images))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(images)) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(images) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if images[i] == nil {
					errs[i] = fmt.Errorf("image %d is nil", i)
				} else if squares[i], errs[i] = images[i].Square(e.ImageSize()); errs[i] != nil {
					errs[i] = fmt.Errorf("image %d: %w", i, errs[i])
				}
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return squares, errors.Join(errs...)
}

// EncodeSquares turns squares of ImageSize² pixels, three bytes each, as Image.Square gives them, into features [Dim], one a square; a
// square of another length is an error.
func (e *Encoder) EncodeSquares(ctx context.Context, squares [][]byte) ([][]float32, error) {
	return e.encodeSquares(ctx, pooled, squares)
}

func (e *Encoder) encodeSquares(ctx context.Context, k kind, squares [][]byte) ([][]float32, error) {
	want := 3 * e.ImageSize() * e.ImageSize()
	for i, s := range squares {
		if len(s) != want {
			return nil, fmt.Errorf("encode images: square %d has %d bytes, want %d", i, len(s), want)
		}
	}
	return e.encode(ctx, k, len(squares), func(dst []float32, i int) { e.model.Config.Vision.arrange(dst, squares[i]) })
}

// EncodePixels turns images that are already float32 [images, 3, ImageSize, ImageSize] and normalised, as Pixels gives them, into features
// [Dim], one an image. Another count of numbers is an error.
func (e *Encoder) EncodePixels(ctx context.Context, pixels []float32) ([][]float32, error) {
	each := 3 * e.ImageSize() * e.ImageSize()
	if len(pixels)%each != 0 {
		return nil, fmt.Errorf("encode images: %d numbers, want a multiple of 3·%d·%d", len(pixels), e.ImageSize(), e.ImageSize())
	}
	return e.encode(ctx, pooled, len(pixels)/each, func(dst []float32, i int) {
		e.model.Config.Vision.arrangePixels(dst, pixels[i*each:][:each])
	})
}

// encode runs n images through the graph of kind k, a batch at a time.
func (e *Encoder) encode(ctx context.Context, k kind, n int, arrange func(dst []float32, i int)) ([][]float32, error) {
	rows, cols := e.model.Config.Vision.pixelRows()
	features := make([][]float32, 0, n)
	for at := 0; at < n; at += e.options.Batch {
		images := min(e.options.Batch, n-at)
		out, err := e.run(ctx, graphKey{k, capacity(images, e.options.Batch)}, func(g *graph) error {
			return nn.Fill(g.pixels, images*rows, func(dst []float32) {
				for i := range images {
					arrange(dst[i*rows*cols:][:rows*cols], at+i)
				}
			})
		})
		if err != nil {
			return nil, fmt.Errorf("encode images: %w", err)
		}
		features = append(features, split(out, images)...)
	}
	return features, nil
}

// split cuts numbers into n parts of one length.
func split(all []float32, n int) [][]float32 {
	parts := make([][]float32, n)
	each := len(all) / n
	for i := range parts {
		parts[i] = all[i*each : (i+1)*each : (i+1)*each]
	}
	return parts
}

// capacity is the room of the graph for n: the next power of two, or three quarters of it, so that few graphs serve all sizes.
func capacity(n, most int) int {
	c := 1
	for c < n {
		c *= 2
	}
	if c%4 == 0 && n <= c/4*3 {
		c = c / 4 * 3
	}
	return min(c, most)
}
