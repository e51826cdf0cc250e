package kernel

import "math"

// AdamW is the optimizer of Loshchilov and Hutter (arXiv 1711.05101) as Hugging Face's transformers
// 4 wrote it, which differs from PyTorch's in where Eps stands. For every element, at step t:
//
//	g ← scale·g
//	m ← β₁m + (1-β₁)g
//	v ← β₂v + (1-β₂)g²
//	p ← p - lr·√(1-β₂ᵗ)/(1-β₁ᵗ) · m/(√v + eps)
//	p ← p - lr·wd·p
type AdamW struct {
	LR, Beta1, Beta2, Eps, WeightDecay float32
	Step                               int // t: the number of this update, 1 for the first
}

// adamConstants are the factors of one step, rounded once.
type adamConstants struct {
	scale, beta1, rest1, beta2, rest2, eps, rate, decay float32
}

func (o *AdamW) constants(scale float32) adamConstants {
	t := float64(o.Step)
	b1, b2 := float64(o.Beta1), float64(o.Beta2)
	rate := float64(o.LR) * math.Sqrt(1-math.Pow(b2, t)) / (1 - math.Pow(b1, t))
	return adamConstants{
		scale: scale, eps: o.Eps, rate: float32(rate), decay: float32(float64(o.LR) * float64(o.WeightDecay)),
		beta1: o.Beta1, rest1: float32(1 - b1), beta2: o.Beta2, rest2: float32(1 - b2),
	}
}

// Update applies step o.Step, which the caller counts, to the parameters p with moments m and v and
// gradient g, all of one length. scale multiplies the gradient first (clipping, or the mean over
// accumulated batches). It is one pass: 16 bytes read and 12 written for each parameter. g is not changed.
func (o *AdamW) Update(p, m, v, g []float32, scale float32) {
	n := len(p)
	t := tasks.get()
	t.a, t.b, t.c, t.d = p, m[:n], v[:n], g[:n]
	t.s = o.constants(scale).array()
	t.overElements(n, func(t *task, lo, hi int) {
		adamRow(t.a[lo:hi], t.b[lo:hi], t.c[lo:hi], t.d[lo:hi], &t.s)
	})
}

// The places of adamConstants in the array the kernels read.
const (
	adamScale = iota
	adamBeta1
	adamRest1
	adamBeta2
	adamRest2
	adamEps
	adamRate
	adamDecay
)

func (c adamConstants) array() [8]float32 {
	return [8]float32{c.scale, c.beta1, c.rest1, c.beta2, c.rest2, c.eps, c.rate, c.decay}
}

func adamRow(p, m, v, g []float32, c *[8]float32) {
	m, v, g = m[:len(p)], v[:len(p)], g[:len(p)]
	if adamArch(p, m, v, g, c) {
		return
	}
	for i, w := range p {
		d := g[i] * c[adamScale]
		mi := c[adamBeta1]*m[i] + c[adamRest1]*d
		vi := c[adamBeta2]*v[i] + c[adamRest2]*d*d
		w -= c[adamRate] * (mi / (float32(math.Sqrt(float64(vi))) + c[adamEps]))
		w -= c[adamDecay] * w
		p[i], m[i], v[i] = w, mi, vi
	}
}
