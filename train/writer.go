package train

import (
	"context"
	"errors"
	"fmt"
	"iter"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/nn"
)

// Writer writes captions with the model as it is at the moment: greedily, since only their comparison during a run matters.
type Writer struct {
	// Decode turns tokens into text. Without it Write is an error.
	Decode func(tokens []int32) (string, error)

	model    *Model
	packer   *data.Packer
	features *G.Node
	prefixes *G.Node
	mapper   *nn.Machine
	decoder  *gpt2.Decoder
}

// writerBatch is how many images are captioned at a time.
const writerBatch = 32

// NewWriter prepares to caption images of a feature set, with at most 67 tokens each; stop is the token that ends a caption. Features of
// another width than the mapper's are an error.
func NewWriter(be nn.Backend, m *Model, f *data.Features, s Settings, stop int32) (*Writer, error) {
	if f.Dim != m.Config.Feature {
		return nil, fmt.Errorf("%s holds features of %d numbers, the mapper takes %d", f.Path, f.Dim, m.Config.Feature)
	}
	g := G.NewGraph()
	w := &Writer{model: m, features: nn.NewInput(g, "features", nn.Float, writerBatch, f.Dim),
		packer: &data.Packer{Captions: &data.Captions{Features: f}, Normalize: s.Normalize || s.Noise > 0}}
	w.prefixes = m.Mapper.Forward(w.features)
	var err error
	if w.mapper, err = nn.NewMachine(be, w.prefixes); err != nil {
		return nil, err
	}
	o := gpt2.DefaultOptions()
	o.Mode, o.Batch, o.Stop = gpt2.Greedy, writerBatch, stop
	o.MaxTokens = max(1, min(o.MaxTokens, m.LM.Config.Positions-m.Config.PrefixLength))
	if w.decoder, err = gpt2.NewDecoder(m.LM, be, o, m.Config.PrefixLength); err != nil {
		return nil, errors.Join(err, w.mapper.Close())
	}
	return w, nil
}

// Write captions the images in the given rows of the feature set, in their order.
func (w *Writer) Write(ctx context.Context, rows []int) ([]string, error) {
	if w.Decode == nil {
		return nil, errors.New("write captions: Writer.Decode is not set: want what turns tokens into text")
	}
	var texts []string
	for captions, err := range w.decoder.Decode(ctx, w.prompts(ctx, rows)) {
		if err != nil {
			return nil, err
		}
		text, err := w.Decode(captions[0].Tokens)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// prompts maps the features to prefixes, a batch at a time.
func (w *Writer) prompts(ctx context.Context, rows []int) iter.Seq2[gpt2.Prompt, error] {
	return func(yield func(gpt2.Prompt, error) bool) {
		size := w.model.Config.PrefixLength * w.model.Config.Dim
		for len(rows) > 0 {
			n := min(len(rows), writerBatch)
			prefixes, err := w.mapped(ctx, rows[:n])
			if err != nil {
				yield(gpt2.Prompt{}, err)
				return
			}
			for i := range n {
				if !yield(gpt2.Prompt{Prefix: prefixes[i*size:][:size]}, nil) {
					return
				}
			}
			rows = rows[n:]
		}
	}
}

// mapped are the prefixes of a batch, end to end.
func (w *Writer) mapped(ctx context.Context, rows []int) ([]float32, error) {
	dim := w.model.Config.Feature
	x := make([]float32, len(rows)*dim)
	for i, row := range rows {
		if err := w.packer.Feature(x[i*dim:][:dim], row); err != nil {
			return nil, err
		}
	}
	if err := nn.Set(w.features, x); err != nil {
		return nil, err
	}
	if err := w.mapper.Run(ctx); err != nil {
		return nil, err
	}
	return w.mapper.Value(w.prefixes).Float32s()
}

// Close gives the memory back.
func (w *Writer) Close() error { return errors.Join(w.mapper.Close(), w.decoder.Close()) }
