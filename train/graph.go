package train

import (
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/nn"
)

// network is the graph of a step for batches up to a size, and the machine that runs it.
type network struct {
	features, ids, positions, prefix, from, targets *G.Node
	seqs                                            nn.Sequences
	random                                          *nn.Random // nil: no dropout
	loss                                            *G.Node
	grads                                           *nn.Gradients // nil: the loss alone
	machine                                         *nn.Machine
	weight                                          [1]float32
	sequences                                       int // that every batch is filled up to, 0: batches stay as they are
	feature                                         int
	padded                                          data.Batch
}

// networkOptions say what a network is for.
type networkOptions struct {
	shared  bool      // captions of one image share its prefix
	dropout bool      // the language model drops out
	params  nn.Params // whose gradients are wanted; none: the loss alone
	// passing gradients are used up by the optimizer one by one; else all of them are there after a run
	passing bool
	// changing weights are trained between two runs
	changing bool
}

// newNetwork builds the graph and plans its memory.
func newNetwork(be nn.Backend, m *Model, room data.Size, o networkOptions) (*network, error) {
	sequences := 0
	if pads(be) {
		room = padded(room)
		sequences = room.Sequences
	}
	g := G.NewGraph()
	n := &network{sequences: sequences, feature: m.Config.Feature,
		features:  nn.NewInput(g, "features", nn.Float, max(1, room.Images), m.Config.Feature),
		ids:       nn.NewInput(g, "ids", nn.Int32, max(1, room.Rows)),
		positions: nn.NewInput(g, "positions", nn.Int32, max(1, room.Rows)),
		prefix:    nn.NewInput(g, "prefix rows", nn.Int32, max(1, room.Rows)),
		seqs:      nn.NewSequences(g, "captions", max(1, room.Sequences), o.shared),
		from:      nn.NewInput(g, "predicting rows", nn.Int32, max(1, room.Targets)),
		targets:   nn.NewInput(g, "targets", nn.Int32, max(1, room.Targets)),
	}
	if o.dropout {
		n.random = nn.NewRandom(g)
	}
	hidden := m.LM.ForwardRows(gpt2.Input{IDs: n.ids, Positions: n.positions, Sequences: n.seqs, Random: n.random,
		Prefix: nn.Pick{Rows: m.Mapper.Forward(n.features), Index: n.prefix}}, n.from)
	n.loss = m.LM.Loss(hidden, n.targets)
	outputs := G.Nodes{n.loss}
	use := nn.MachineOptions{Changing: o.changing}
	var err error
	if len(o.params) > 0 {
		if n.grads, err = nn.Backward(n.loss, o.params...); err != nil {
			return nil, err
		}
		if o.passing {
			use.Loss, use.Params, use.Grads = n.loss, o.params, n.grads.Of
		} else {
			outputs = append(outputs, n.grads.Of...)
		}
	}
	if n.machine, err = nn.NewMachineFor(be, use, outputs...); err != nil {
		return nil, fmt.Errorf("memory for %d rows of %d captions: %w", room.Rows, room.Sequences, err)
	}
	return n, nil
}

// set gives the network a batch.
func (n *network) set(b *data.Batch, seed, step uint64) error {
	if n.sequences > 0 {
		pad(&n.padded, b, n.sequences, n.feature)
		b = &n.padded
	}
	err := errors.Join(nn.Set(n.features, b.Features), nn.Set(n.ids, b.IDs), nn.Set(n.positions, b.Positions), nn.Set(n.prefix, b.Prefix),
		nn.Set(n.seqs.Starts, b.Starts), nn.Set(n.from, b.From), nn.Set(n.targets, b.Targets))
	if n.seqs.Parent != nil {
		err = errors.Join(err, nn.Set(n.seqs.Parent, b.Parents))
	}
	if n.random != nil {
		err = errors.Join(err, n.random.SetStep(seed, step))
	}
	return err
}

// weigh sets what the batch's gradients are multiplied by.
func (n *network) weigh(w float32) error {
	n.weight[0] = w
	return nn.Set(n.grads.Seed, n.weight[:])
}

// value is the loss of the last run.
func (n *network) value() (float64, error) {
	f, err := n.machine.Value(n.loss).Floats()
	if err != nil {
		return 0, err
	}
	return f[0], nil
}

// close gives the machine's memory back.
func (n *network) close() error { return n.machine.Close() }
