package clip

import (
	"context"
	"errors"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// kind is what a graph computes.
type kind int

const (
	pooled   kind = iota // features of images
	unpooled             // all rows of images
	texts                // features of texts
)

// graphKey names a graph: what for, and for how many images, or rows of text.
type graphKey struct {
	kind     kind
	capacity int
}

// graph is a graph with its machine.
type graph struct {
	pixels  *G.Node
	text    TextInput
	out     *G.Node
	machine *nn.Machine
}

// build makes the graph of a key.
func (e *Encoder) build(be nn.Backend, key graphKey) (*graph, error) {
	g := G.NewGraph()
	b := &graph{}
	if key.kind == texts {
		b.text = NewTextInput(g, key.capacity, e.options.Batch)
		b.out = e.model.Text.Forward(b.text)
	} else {
		rows, cols := e.model.Config.Vision.pixelRows()
		b.pixels = nn.NewInput(g, "pixels", nn.Float, key.capacity*rows, cols)
		if key.kind == unpooled {
			b.out = e.model.ViT.ForwardTokens(b.pixels)
		} else {
			b.out = e.model.Forward(b.pixels)
		}
	}
	var err error
	b.machine, err = nn.NewMachine(be, b.out)
	return b, err
}

// run computes the graph of a key on the input that set gives it. It waits for its turn as long as ctx lasts.
func (e *Encoder) run(ctx context.Context, key graphKey, set func(*graph) error) ([]float32, error) {
	select {
	case <-e.turn:
		defer func() { e.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for {
		g, err := e.compute(ctx, key, set)
		if err == nil {
			return g.machine.Value(g.out).Float32s()
		}
		if !errors.Is(err, nn.ErrMemory) {
			return nil, err
		}
		// The graphs of other batches can be made again; without them there may be room.
		others := len(e.graphs) > 0
		if dropped := e.drop(); dropped != nil {
			return nil, errors.Join(err, dropped)
		}
		if !others {
			return nil, e.fit(err, key)
		}
	}
}

// larger is the key of the smallest existing graph with room for what key asks, or key itself: the last images of a stream need no graph of
// their own.
func (e *Encoder) larger(key graphKey) graphKey {
	best := key
	for k := range e.graphs {
		if k.kind == key.kind && k.capacity >= key.capacity && (best == key || k.capacity < best.capacity) {
			best = k
		}
	}
	return best
}

// compute runs the graph of a key, or a larger one that exists; where there is neither it makes one. A graph whose memory does not fit is
// not kept.
func (e *Encoder) compute(ctx context.Context, key graphKey, set func(*graph) error) (*graph, error) {
	if e.graphs[key] == nil && !nn.Replays(e.backend) {
		key = e.larger(key)
	}
	g := e.graphs[key]
	if g == nil {
		var err error
		if g, err = e.build(e.backend, key); err != nil {
			return nil, err
		}
	}
	delete(e.graphs, key)
	err := set(g)
	if err == nil {
		err = g.machine.Run(ctx)
	}
	if errors.Is(err, nn.ErrMemory) {
		return nil, errors.Join(err, g.machine.Close())
	}
	e.graphs[key] = g
	return g, err
}

// drop gives the memory of all graphs back.
func (e *Encoder) drop() (err error) {
	for _, g := range e.graphs {
		err = errors.Join(err, g.machine.Close())
	}
	clear(e.graphs)
	return err
}

// fit adds to an error of a device without room the batch of images that would fit.
func (e *Encoder) fit(err error, key graphKey) error {
	if key.kind == texts {
		return err
	}
	rows, cols := e.model.Config.Vision.pixelRows()
	return nn.FitBatch(err, e.backend, key.capacity, false, func(be nn.Backend, batch int) (func() error, error) {
		g, err := e.build(be, graphKey{key.kind, batch})
		if err != nil {
			return nil, err
		}
		return g.machine.RunAll, nn.Set(g.pixels, make([]float32, batch*rows*cols))
	})
}

// Profile turns the timing of operations on or off and clears it, for the graphs that exist: encode once before.
func (e *Encoder) Profile(on bool) {
	<-e.turn
	for _, g := range e.graphs {
		g.machine.Profile(on)
	}
	e.turn <- struct{}{}
}

// Times are the times of the operations since Profile(true), of all graphs, a graph's longest first.
func (e *Encoder) Times() []nn.OpTime {
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	var all []nn.OpTime
	for _, g := range e.graphs {
		all = append(all, g.machine.Times()...)
	}
	return all
}
