package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

// AdamW updates p's own memory.
func (*CPU) AdamW(p *Param, m, v, g Tensor, a *AdamWArgs) error {
	o := kernel.AdamW{LR: a.LR, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps, WeightDecay: a.WeightDecay, Step: a.Step}
	o.Update(p.Data, vector(m), vector(v), vector(g), a.Scale)
	p.Changed()
	return nil
}

// SumSquares adds squares in float64.
func (*CPU) SumSquares(x Tensor) (float64, error) { return kernel.SumSquares(vector(x)), nil }

// Fetch does nothing: the numbers are the parameter's own.
func (*CPU) Fetch(*Param) error { return nil }
