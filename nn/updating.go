package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
)

// MachineOptions say how a machine's graph will be used; the zero value serves every use.
type MachineOptions struct {
	// Changing says that the parameters that are not frozen change between runs, so that no packed form of them is kept.
	Changing bool
	// Params with their gradients Grads, in the same order: each gradient is used up by an optimizer during the run, as soon as
	// it is complete and the run does not read the parameter any more, and its memory goes to others. Loss is the loss, which
	// is checked before the first parameter changes. An optimizer of such a machine runs it (AdamW.Run).
	Loss   *G.Node
	Params Params
	Grads  G.Nodes
}

// updates are the gradients a machine hands over during a run.
type updates struct {
	loss  int      // the step that computes the loss
	after [][]int  // by step, the parameters that are updated behind it
	grads []*Value // by parameter
	begun bool     // in the run in progress

	check func() error      // nil outside of AdamW.Run
	use   func(i int) error // updates parameter i
}

// schedule finds the steps behind which parameters are updated. until receives how long gradients live.
func (m *Machine) schedule(o *MachineOptions, until map[*Value]int) error {
	u := &updates{loss: -1, after: make([][]int, len(m.steps)), grads: make([]*Value, len(o.Params))}
	made, read := map[*Value]int{}, map[*Value]int{}
	root := map[*Value]*Value{} // what a view is a view of
	origin := func(v *Value) *Value {
		if r := root[v]; r != nil {
			return r
		}
		return v
	}
	for i := range m.steps {
		s := &m.steps[i]
		for _, v := range s.in {
			read[origin(v)] = i
		}
		for _, v := range s.out {
			made[v] = i
		}
		if s.op != nil && s.op.alias {
			root[s.out[0]] = origin(s.in[0])
		}
	}
	loss := m.values[o.Loss]
	if at, ok := made[loss]; ok {
		u.loss = at
	}
	for i, p := range o.Params {
		g := m.values[o.Grads[i]]
		at, ok := made[g]
		if !ok || g.Size() != p.size() {
			return fmt.Errorf("the gradient of %s is no result of the graph", p.Name)
		}
		at = max(at, read[m.values[p.Node(o.Loss.Graph())]], u.loss)
		u.grads[i] = g
		u.after[at] = append(u.after[at], i)
		until[g] = max(until[g], at+1) // not at: nothing may take its place over before
	}
	m.updates = u
	return nil
}

// behind does what follows step i.
func (u *updates) behind(i int) error {
	if i == u.loss {
		if u.check == nil {
			return fmt.Errorf("gradients that are used up need an optimizer to run the machine")
		}
		if err := u.check(); err != nil {
			return err
		}
	}
	for _, p := range u.after[i] {
		u.begun = true
		if err := u.use(p); err != nil {
			return err
		}
	}
	return nil
}
