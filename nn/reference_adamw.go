package nn

import "math"

// AdamW follows its formula.
func (r *Reference) AdamW(p *Param, m, v, g Tensor, a *AdamWArgs) error {
	b, err := r.Parameter(p)
	if err != nil {
		return err
	}
	w, ms, vs, gs := b.(*refBuffer).f, numbers(m), numbers(v), numbers(g)
	b1, b2, lr := float64(a.Beta1), float64(a.Beta2), float64(a.LR)
	t := float64(a.Step)
	rate := lr * math.Sqrt(1-math.Pow(b2, t)) / (1 - math.Pow(b1, t))
	for i := range w {
		d := gs[i] * float64(a.Scale)
		ms[i] = b1*ms[i] + (1-b1)*d
		vs[i] = b2*vs[i] + (1-b2)*d*d
		w[i] -= rate * ms[i] / (math.Sqrt(vs[i]) + float64(a.Eps))
		w[i] -= lr * float64(a.WeightDecay) * w[i]
	}
	return nil
}

// numbers is a tensor whose rows lie end to end.
func numbers(t Tensor) []float64 { return t.Buf.(*refBuffer).f[t.Off:][:t.Rows*t.Cols] }

// SumSquares adds squares.
func (*Reference) SumSquares(x Tensor) (sum float64, err error) {
	for _, v := range numbers(x) {
		sum += v * v
	}
	return sum, nil
}

// Fetch rounds p to float32.
func (r *Reference) Fetch(p *Param) error {
	b, err := r.Parameter(p)
	if err != nil {
		return err
	}
	for i, x := range b.(*refBuffer).f {
		p.Data[i] = float32(x)
	}
	return nil
}
