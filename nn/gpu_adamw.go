package nn

import (
	"fmt"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// updater is a Backend that works on all parameters of an optimizer at once.
type updater interface {
	// AdamWAll is AdamW for every parameter; decay has each one's weight decay.
	AdamWAll(ps []*Param, m, v, g []Tensor, decay []float32, a *AdamWArgs) error
	// SumSquaresAll is Σ x² over all tensors.
	SumSquaresAll(xs []Tensor) (float64, error)
}

var _ updater = (*GPU)(nil)

// AdamW updates the device's numbers; p.Data stays behind until Fetch.
func (g *GPU) AdamW(p *Param, m, v, grad Tensor, a *AdamWArgs) error {
	return g.AdamWAll([]*Param{p}, []Tensor{m}, []Tensor{v}, []Tensor{grad}, []float32{a.WeightDecay}, a)
}

// AdamWAll is one launch.
func (g *GPU) AdamWAll(ps []*Param, m, v, grads []Tensor, decay []float32, a *AdamWArgs) error {
	us := make([]gpu.Update, len(ps))
	for i, p := range ps {
		b, err := g.Parameter(p)
		if err != nil {
			return err
		}
		g.mu.Lock()
		g.params[p].changes++
		g.mu.Unlock()
		us[i] = gpu.Update{P: at4(b, 0), M: gi(m[i]), V: gi(v[i]), G: gi(grads[i]), N: len(p.Data), WeightDecay: decay[i]}
	}
	return g.dev.AdamW(us, &gpu.AdamW{LR: a.LR, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps, Step: a.Step, Scale: a.Scale})
}

// SumSquares waits for its result.
func (g *GPU) SumSquares(x Tensor) (float64, error) { return g.SumSquaresAll([]Tensor{x}) }

// SumSquaresAll waits once for all of them.
func (g *GPU) SumSquaresAll(xs []Tensor) (float64, error) {
	us := make([]gpu.Update, len(xs))
	for i, x := range xs {
		us[i] = gpu.Update{G: gi(x), N: x.Rows * x.Cols}
	}
	return g.dev.SumSquares(us)
}

// Fetch downloads p, which counts as a change for other backends.
func (g *GPU) Fetch(p *Param) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	gp := g.params[p]
	if gp == nil || p.Data == nil || gp.version != p.Version() { // the host's numbers are the newer ones, or there are to be none
		return nil
	}
	if err := gpu.Download(g.dev, p.Data, gp.buf.ptr); err != nil {
		return fmt.Errorf("download %s: %w", p.Name, err)
	}
	p.Changed()
	gp.version = p.Version()
	return nil
}
