package nn

import (
	"context"
	"fmt"
	"slices"
	"time"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Machine runs what some outputs of a graph need, on one backend. All buffers are planned when it
// is made; a run allocates nothing. A graph, and so its machines, runs once at a time; graphs
// that share parameters may run side by side.
type Machine struct {
	backend Backend
	steps   []step
	leaves  []*leaf
	values  map[*G.Node]*Value
	outputs map[*G.Node]bool
	arena   Buffer
	plan    Plan
	updates *updates        // nil: all gradients are outputs
	profile []time.Duration // by step, and one for updates; nil when off
}

var _ G.VM = (*Machine)(nil)

// step is one operation with its inputs and results in place.
type step struct {
	node    *G.Node
	op      *Op // nil: a foreign operation
	foreign G.Op
	in, out []*Value
}

// NewMachine prepares a machine for the nodes whose values are wanted. Node hashes are checked to be
// unique, because Gorgonia's own machines take nodes of equal hash for one. A leaf that is no input,
// parameter or state of this package, and too little memory on the device (ErrMemory), are errors too.
func NewMachine(be Backend, outputs ...*G.Node) (*Machine, error) {
	return NewMachineFor(be, MachineOptions{}, outputs...)
}

// NewMachineFor is NewMachine for the use that the options describe.
func NewMachineFor(be Backend, o MachineOptions, outputs ...*G.Node) (*Machine, error) {
	if _, ok := be.(updater); ok && o.Params != nil { // it works on all gradients at once
		outputs = append(outputs[:len(outputs):len(outputs)], o.Grads...)
		o.Params, o.Grads = nil, nil
	}
	if len(outputs) == 0 {
		return nil, fmt.Errorf("new machine: no outputs")
	}
	m := &Machine{backend: be, values: map[*G.Node]*Value{}, outputs: map[*G.Node]bool{}}
	for _, n := range outputs {
		if n.Graph() != outputs[0].Graph() {
			return nil, fmt.Errorf("new machine: %v and %v are of different graphs", outputs[0], n)
		}
		m.outputs[n] = true
	}
	order := ancestors(append(outputs[:len(outputs):len(outputs)], o.Grads...)...)
	slices.Reverse(order)
	if err := uniqueHashes(order); err != nil {
		return nil, err
	}
	for _, n := range order {
		if err := m.add(n); err != nil {
			m.Close()
			return nil, fmt.Errorf("new machine: %w", err)
		}
	}
	m.split()   // what is read much later than the rest of an operation's results is computed there
	m.chain()   // two products of which the second reads the first become one step
	m.compact() // results that only products and the like read are kept rounded
	m.spare()   // what an operation can do without is not kept for it
	for _, l := range m.leaves {
		l.at.once = o.Changing && l.src.param != nil && !l.src.param.Frozen
	}
	if err := m.place(outputs, &o); err != nil {
		m.Close()
		return nil, fmt.Errorf("new machine: %w", err)
	}
	return m, nil
}

func uniqueHashes(nodes G.Nodes) error {
	seen := make(map[uint32]*G.Node, len(nodes))
	for _, n := range nodes {
		if m := seen[n.Hashcode()]; m != nil {
			return fmt.Errorf("new machine: nodes %v and %v have the same hash; build the graph again", m, n)
		}
		seen[n.Hashcode()] = n
	}
	return nil
}

// add makes the step, or the leaf, of one node.
func (m *Machine) add(n *G.Node) error {
	if n.Op() == nil {
		v, ok := n.Value().(*Value)
		if !ok {
			return fmt.Errorf("leaf %v: make it with NewInput, a Param or a State", n)
		}
		l, err := newLeaf(m.backend, v)
		if err != nil {
			return err
		}
		m.leaves = append(m.leaves, l)
		m.values[n] = &l.at
		return nil
	}
	s := step{node: n}
	for _, c := range inputsOf(n) {
		s.in = append(s.in, m.values[c])
	}
	result := func(shape tensor.Shape) *Value {
		v := newValue(Float, shape)
		v.backend = m.backend
		return v
	}
	if o, ok := n.Op().(*Op); !ok {
		s.foreign = n.Op()
		s.out = []*Value{result(n.Shape().Clone())}
	} else if t, ok := o.attr.(tapOf); ok {
		m.values[n] = s.in[0].outs[t-1] // a sibling's memory, no step of its own
		return nil
	} else {
		s.op = o
		s.out = make([]*Value, len(o.results))
		for i, r := range o.results {
			if o.wanted[i] {
				s.out[i] = result(r.shape)
			}
		}
		s.out[0].outs = s.out[1:]
	}
	m.values[n] = s.out[0]
	m.steps = append(m.steps, s)
	return nil
}

// RunAll runs without a deadline.
func (m *Machine) RunAll() error { return m.Run(context.Background()) }

// Run computes the outputs from the inputs as they were last Set. It stops between two operations when
// ctx ends. An error carries the operation it came from; an input that was never Set is one.
func (m *Machine) Run(ctx context.Context) (err error) {
	for _, l := range m.leaves {
		if err := l.bind(m.backend); err != nil {
			return fmt.Errorf("run: %w", err)
		}
	}
	if err := m.backend.Begin(ctx); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	defer func() {
		if e := m.backend.End(); err == nil && e != nil {
			err = fmt.Errorf("run: %w", e)
		}
	}()
	done := ctx.Done()
	if m.updates != nil {
		m.updates.begun = false
	}
	for i := range m.steps {
		if done != nil && (m.updates == nil || !m.updates.begun) { // or half of the parameters would be a step ahead
			select {
			case <-done:
				return fmt.Errorf("run: stopped before %v: %w", m.steps[i].node, context.Cause(ctx))
			default:
			}
		}
		if m.profile != nil {
			start := time.Now()
			err = m.steps[i].run(m.backend)
			m.profile[i] += time.Since(start)
		} else {
			err = m.steps[i].run(m.backend)
		}
		if err != nil {
			return fmt.Errorf("run: %v: %w", m.steps[i].node.Op(), err)
		}
		if m.updates != nil {
			if err = m.update(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// update does what follows step i for the parameters.
func (m *Machine) update(i int) error {
	if m.profile == nil {
		return m.updates.behind(i)
	}
	start := time.Now()
	err := m.updates.behind(i)
	m.profile[len(m.steps)] += time.Since(start)
	return err
}

func (s *step) run(be Backend) error {
	if s.op != nil {
		return s.op.invoke(be, s.in, s.out)
	}
	return runForeign(s.foreign, s.in, s.out[0])
}

// Value is the value of an output after a run, or of a leaf; nil for any other node, whose memory may
// be another's by now. The next run overwrites it.
func (m *Machine) Value(n *G.Node) *Value {
	if m.outputs[n] || n.Op() == nil {
		return m.values[n]
	}
	return nil
}

// Reset does nothing: a machine is ready to run again at once.
func (m *Machine) Reset() {}

// Close gives the machine's memory back.
func (m *Machine) Close() error {
	for _, l := range m.leaves {
		l.free(m.backend)
	}
	if m.arena != nil {
		m.backend.Free(m.arena)
	}
	m.leaves, m.steps, m.arena = nil, nil, nil
	return nil
}

// Plan says how the machine's memory was planned.
func (m *Machine) Plan() Plan { return m.plan }

// Profile turns the timing of operations on or off and clears it.
func (m *Machine) Profile(on bool) {
	m.profile = nil
	if on {
		m.profile = make([]time.Duration, len(m.steps)+1)
	}
}

// OpTime is the time a kind of operation took since Profile(true).
type OpTime struct {
	Kind  string
	Nodes int
	Time  time.Duration
}

// Times are the profile's kinds of operation, longest first. On a device that works behind the
// host's back the times are those of launching.
func (m *Machine) Times() []OpTime {
	byKind := map[string]*OpTime{}
	for i, d := range m.profile {
		kind := "update"
		if i < len(m.steps) {
			kind = m.steps[i].node.Op().String()
			if o := m.steps[i].op; o != nil {
				kind = o.Kind()
			}
		} else if m.updates == nil {
			continue
		}
		t := byKind[kind]
		if t == nil {
			t = &OpTime{Kind: kind}
			byKind[kind] = t
		}
		t.Nodes++
		t.Time += d
	}
	var ts []OpTime
	for _, t := range byKind {
		ts = append(ts, *t)
	}
	slices.SortFunc(ts, func(a, b OpTime) int {
		if a.Time != b.Time {
			return int(b.Time - a.Time)
		}
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return ts
}
