package nn

import (
	"context"
	"errors"
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
)

// AdamWArgs are the arguments of one update; see AdamW for the formula.
type AdamWArgs struct {
	LR, Beta1, Beta2, Eps, WeightDecay float32
	Step                               int     // number of the update, from 1
	Scale                              float32 // multiplies the gradient first
}

// AdamW is the optimizer of Loshchilov and Hutter (arXiv 1711.05101) in the form of Hugging Face's transformers 4, whose Eps
// is not bias-corrected as PyTorch's is:
//
//	m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²
//	p ← p - lr·√(1-β₂ᵗ)/(1-β₁ᵗ) · m/(√v + eps)
//	p ← p - lr·wd·p
//
// It works on the machine's own buffers: gradients are read where Backward's nodes put them, and nothing is allocated after New.
type AdamW struct {
	Beta1, Beta2, Eps float32
	// WeightDecay is each parameter's; nil: none.
	WeightDecay []float32
	// Steps counts the updates so far.
	Steps int

	machine *Machine
	params  Params
	grads   []*Value
	m, v    []Buffer
	sums    []Buffer // of gradients, once Accumulate was called
	full    bool     // sums hold something

	grad, mt, vt []Tensor // of all parameters, for a backend that takes them together
	args         AdamWArgs
}

// NewAdamW makes an optimizer with zero moments for parameters whose gradients, in the same order, are among the machine's
// outputs. Its constants are those of Hugging Face: β₁ 0.9, β₂ 0.999, eps 1e-6.
func NewAdamW(m *Machine, params Params, grads G.Nodes) (*AdamW, error) {
	if len(params) != len(grads) {
		return nil, fmt.Errorf("new AdamW: %d parameters, %d gradients", len(params), len(grads))
	}
	if m.updates != nil && len(params) != len(m.updates.grads) {
		return nil, fmt.Errorf("new AdamW: %d parameters, the machine uses up gradients of %d", len(params), len(m.updates.grads))
	}
	o := &AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, machine: m, params: params}
	for i, p := range params {
		g := m.Value(grads[i])
		if m.updates != nil && i < len(m.updates.grads) && m.values[grads[i]] == m.updates.grads[i] {
			g = m.updates.grads[i]
		}
		if g == nil || g.Size() != len(p.Data) {
			return nil, fmt.Errorf("new AdamW: the gradient of %s is no output of the machine", p.Name)
		}
		o.grads = append(o.grads, g)
	}
	var err error
	if o.m, err = o.buffers(); err != nil {
		return nil, err
	}
	if o.v, err = o.buffers(); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	if m.updates != nil {
		m.updates.use = o.update
	}
	return o, nil
}

// gradient is what the next update uses for parameter i.
func (o *AdamW) gradient(i int) Tensor {
	n := len(o.params[i].Data)
	if o.full {
		return flat(o.sums[i], n)
	}
	t := o.grads[i].mem
	t.Rows, t.Cols, t.Stride = 1, n, n
	return t
}

// Accumulate adds the gradients of the last run to those before it; the next Update uses the sum.
func (o *AdamW) Accumulate() (err error) {
	if o.sums == nil {
		if o.sums, err = o.buffers(); err != nil {
			return err
		}
	}
	be := o.machine.backend
	for i, p := range o.params {
		sum, g := flat(o.sums[i], len(p.Data)), o.grads[i].mem
		g.Rows, g.Cols, g.Stride = sum.Rows, sum.Cols, sum.Stride
		if !o.full {
			if err := be.Zero(sum); err != nil {
				return err
			}
		}
		if err := be.Add(sum, sum, g); err != nil {
			return fmt.Errorf("add the gradient of %s: %w", p.Name, err)
		}
	}
	o.full = true
	return nil
}

// Forget drops what Accumulate has summed.
func (o *AdamW) Forget() { o.full = false }

// Norm is the length of all gradients together.
func (o *AdamW) Norm() (float64, error) {
	var sum float64
	if be, ok := o.machine.backend.(updater); ok {
		o.together()
		sum, err := be.SumSquaresAll(o.grad)
		if err != nil {
			return 0, fmt.Errorf("gradients: %w", err)
		}
		return math.Sqrt(sum), nil
	}
	for i, p := range o.params {
		s, err := o.machine.backend.SumSquares(o.gradient(i))
		if err != nil {
			return 0, fmt.Errorf("gradient of %s: %w", p.Name, err)
		}
		sum += s
	}
	return math.Sqrt(sum), nil
}

// Run runs the machine and applies one step with its gradients, each as soon as it is complete where the machine was made for that. check,
// which may be nil, is called when the loss has been computed; its error ends the run before any parameter has changed, and so does the end
// of ctx. No other error comes of numbers.
func (o *AdamW) Run(ctx context.Context, lr float64, check func() error) error {
	u := o.machine.updates
	if u == nil {
		err := o.machine.Run(ctx)
		if err == nil && check != nil {
			err = check()
		}
		if err != nil {
			return err
		}
		return o.Update(lr, 1)
	}
	o.prepare(lr, 1)
	if u.check = check; check == nil {
		u.check = accept
	}
	err := o.machine.Run(ctx)
	u.check = nil
	if err != nil {
		if u.begun {
			return fmt.Errorf("%w; some parameters are a step ahead of the others", err)
		}
		o.Steps--
	}
	return err
}

// accept takes any loss.
func accept() error { return nil }

// prepare begins a step.
func (o *AdamW) prepare(lr, scale float64) {
	o.Steps++
	o.args = AdamWArgs{LR: float32(lr), Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps, Step: o.Steps, Scale: float32(scale)}
}

// update applies the step to parameter i.
func (o *AdamW) update(i int) error {
	p := o.params[i]
	if o.WeightDecay != nil {
		o.args.WeightDecay = o.WeightDecay[i]
	}
	n := len(p.Data)
	if err := o.machine.backend.AdamW(p, flat(o.m[i], n), flat(o.v[i], n), o.gradient(i), &o.args); err != nil {
		return fmt.Errorf("update %s: %w", p.Name, err)
	}
	return nil
}

// Update applies one step with the gradients of the last run, or the sum of those accumulated, times scale.
func (o *AdamW) Update(lr, scale float64) error {
	o.prepare(lr, scale)
	if be, ok := o.machine.backend.(updater); ok {
		o.together()
		decay := o.WeightDecay
		if decay == nil {
			decay = make([]float32, len(o.params))
		}
		if err := be.AdamWAll(o.params, o.mt, o.vt, o.grad, decay, &o.args); err != nil {
			return fmt.Errorf("update: %w", err)
		}
		o.full = false
		return nil
	}
	for i := range o.params {
		if err := o.update(i); err != nil {
			return err
		}
	}
	o.full = false
	return nil
}

// together lists the tensors of all parameters for the next update.
func (o *AdamW) together() {
	o.grad, o.mt, o.vt = o.grad[:0], o.mt[:0], o.vt[:0]
	for i, p := range o.params {
		n := len(p.Data)
		o.grad, o.mt, o.vt = append(o.grad, o.gradient(i)), append(o.mt, flat(o.m[i], n)), append(o.vt, flat(o.v[i], n))
	}
}

// Params are the parameters it updates.
func (o *AdamW) Params() Params { return o.params }
