package clipcap

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/nn"
)

// worker is what one caller needs for itself: the mapper's graph and a decoder. The weights are shared.
type worker struct {
	model    *Model
	features *G.Node
	prefixes *G.Node
	mapper   *nn.Machine
	decoder  *gpt2.Decoder
	batch    []float32
	read     []float64
}

// longest is the rows of a prompt: prefix and tokens.
func (m *Model) longest() int { return m.checkpoint.Config.PrefixLength + len(m.prompt) }

// worker lends a worker.
func (m *Model) worker() (*worker, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.idle); n > 0 {
		w := m.idle[n-1]
		m.idle = m.idle[:n-1]
		return w, nil
	}
	c, o := m.checkpoint.Config, m.options
	g := G.NewGraph()
	w := &worker{model: m, features: nn.NewInput(g, "features", nn.Float, o.Decode.Batch, c.Feature)}
	w.prefixes = m.checkpoint.Mapper.Forward(w.features)
	var err error
	if w.mapper, err = nn.NewMachine(m.mapperBackend, w.prefixes); err != nil {
		return nil, err
	}
	if w.decoder, err = gpt2.NewDecoder(m.lm, m.lmBackend, o.Decode, m.longest()); err != nil {
		w.mapper.Close()
		return nil, err
	}
	return w, nil
}

// release takes a worker back.
func (m *Model) release(w *worker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idle = append(m.idle, w)
}

// prompts maps features to the prefixes the decoder reads, a batch at a time.
func (w *worker) prompts(ctx context.Context, features iter.Seq2[[]float32, error]) iter.Seq2[gpt2.Prompt, error] {
	checked := func(yield func([]float32, error) bool) {
		for f, err := range features {
			if want := w.model.checkpoint.Config.Feature; err == nil && len(f) != want {
				err = &WidthError{Want: want, Got: len(f), From: "the source"}
			} else if i := slices.IndexFunc(f, func(x float32) bool { return x-x != 0 }); err == nil && i >= 0 {
				err = fmt.Errorf("number %d of the feature is %v, want finite ones", i, f[i])
			}
			if !yield(f, err) {
				return
			}
		}
	}
	return batched(checked, w.model.options.Decode.Batch, func(batch [][]float32) ([]gpt2.Prompt, error) { return w.mapped(ctx, batch) })
}

// mapped runs the mapper on a batch of features.
func (w *worker) mapped(ctx context.Context, batch [][]float32) ([]gpt2.Prompt, error) {
	c := w.model.checkpoint.Config
	w.batch = w.batch[:0]
	for _, f := range batch {
		w.batch = append(w.batch, f...)
		if c.Normalize {
			normalize(w.batch[len(w.batch)-len(f):])
		}
	}
	if err := nn.Set(w.features, w.batch); err != nil {
		return nil, err
	}
	if err := w.mapper.Run(ctx); err != nil {
		return nil, fmt.Errorf("mapper: %w", err)
	}
	size := c.PrefixLength * c.Dim
	if n := len(batch) * size; len(w.read) < n {
		w.read = make([]float64, n)
	}
	read := w.read[:len(batch)*size]
	if err := w.mapper.Value(w.prefixes).Read(read, 0); err != nil {
		return nil, err
	}
	all := make([]float32, len(read))
	for i, x := range read {
		all[i] = float32(x)
	}
	prompts := make([]gpt2.Prompt, len(batch))
	for i := range prompts {
		prompts[i] = gpt2.Prompt{Prefix: all[i*size:][:size], Tokens: w.model.prompt}
	}
	return prompts, nil
}

// normalize divides a feature by its length. One without a length stays as it is.
func normalize(f []float32) {
	var sum float64
	for _, x := range f {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return
	}
	scale := 1 / math.Sqrt(sum)
	for i, x := range f {
		f[i] = float32(float64(x) * scale)
	}
}

// batched applies f to up to n values of a stream at a time. What comes with an error is passed on in its place. An error
// of f ends the stream.
func batched[T, U any](in iter.Seq2[T, error], n int, f func([]T) ([]U, error)) iter.Seq2[U, error] {
	return func(yield func(U, error) bool) {
		var values []T
		var errs []error // of each place, nil for a value
		flush := func() bool {
			var out []U
			var fatal error
			if len(values) > 0 {
				out, fatal = f(values)
			}
			var none U
			for _, err := range errs {
				var u U
				if err == nil {
					if fatal != nil {
						yield(none, fatal)
						return false
					}
					u, out = out[0], out[1:]
				}
				if !yield(u, err) {
					return false
				}
			}
			values, errs = values[:0], errs[:0]
			return true
		}
		for v, err := range in {
			if err == nil {
				values = append(values, v)
			}
			if errs = append(errs, err); len(errs) == n && !flush() {
				return
			}
		}
		flush()
	}
}
