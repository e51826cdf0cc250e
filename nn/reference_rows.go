package nn

import (
	"math"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// maskKey is the key of the dropout generator for one run of one place.
func maskKey(state []int32, site uint32) uint64 {
	return kernel.DropoutKey(uint64(uint32(state[0]))|uint64(uint32(state[1]))<<32,
		uint64(uint32(state[2]))|uint64(uint32(state[3]))<<32, site)
}

// Dropout asks the generator element by element.
func (*Reference) Dropout(dst, x Tensor, m Mask) error {
	key := maskKey(integers(m.State), m.Site)
	for i := range dst.Rows {
		y := row(dst, i)
		for j, x := range row(x, i) {
			y[j] = 0
			if kernel.DropoutKeep(key, uint64(i*dst.Cols+j), m.P) {
				y[j] = x / (1 - float64(m.P))
			}
		}
	}
	return nil
}

// LayerNorm follows its formula.
func (*Reference) LayerNorm(y, x, gain, bias Tensor, eps float32, mean, rstd Tensor) error {
	for i := range y.Rows {
		x, y := row(x, i), row(y, i)
		var m, v float64
		for _, a := range x {
			m += a / float64(len(x))
		}
		for _, a := range x {
			v += (a - m) * (a - m) / float64(len(x))
		}
		s := 1 / math.Sqrt(v+float64(eps))
		for j := range y {
			y[j] = (x[j]-m)*s*row(gain, 0)[j] + row(bias, 0)[j]
		}
		if !mean.None() {
			row(mean, 0)[i] = m
		}
		if !rstd.None() {
			row(rstd, 0)[i] = s
		}
	}
	return nil
}

// LayerNormGrad follows from the formula: with h = (x-mean)·rstd and g = dy·gain,
// dx = (g - mean(g) - h·mean(g·h))·rstd.
func (*Reference) LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd Tensor) error {
	n := dy.Cols
	for _, t := range [...]Tensor{dgain, dbias} {
		if !t.None() {
			clear(row(t, 0))
		}
	}
	for i := range dy.Rows {
		d, x := row(dy, i), row(x, i)
		m, s := row(mean, 0)[i], row(rstd, 0)[i]
		var mg, mgh float64
		for j := range n {
			h, g := (x[j]-m)*s, d[j]*row(gain, 0)[j]
			mg += g / float64(n)
			mgh += g * h / float64(n)
			if !dgain.None() {
				row(dgain, 0)[j] += d[j] * h
			}
			if !dbias.None() {
				row(dbias, 0)[j] += d[j]
			}
		}
		if dx.None() {
			continue
		}
		out := row(dx, i)
		for j := range n {
			out[j] = (d[j]*row(gain, 0)[j] - mg - (x[j]-m)*s*mgh) * s
		}
	}
	return nil
}

// L2Normalize divides rows by their length.
func (*Reference) L2Normalize(y, x, norm Tensor) error {
	for i := range y.Rows {
		x, y := row(x, i), row(y, i)
		n := math.Sqrt(dot(x, x))
		for j := range y {
			y[j] = x[j] / n
		}
		if !norm.None() {
			row(norm, 0)[i] = n
		}
	}
	return nil
}

// L2NormalizeGrad is (dy - y·(y·dy))/‖x‖.
func (*Reference) L2NormalizeGrad(dx, dy, y, norm Tensor) error {
	for i := range dx.Rows {
		d, g, y := row(dx, i), row(dy, i), row(y, i)
		p := dot(y, g)
		for j := range d {
			d[j] = (g[j] - y[j]*p) / row(norm, 0)[i]
		}
	}
	return nil
}

func dot(a, b []float64) float64 {
	var s float64
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// Gather copies or adds rows.
func (*Reference) Gather(dst, src, idx Tensor, add bool) error {
	for i, k := range integers(idx) {
		y := row(dst, i)
		if !add {
			clear(y)
		}
		if k < 0 {
			continue
		}
		for j, x := range row(src, int(k)) {
			y[j] += x
		}
	}
	return nil
}

// ScatterAdd adds rows.
func (*Reference) ScatterAdd(dst, src, idx Tensor) error {
	for i, k := range integers(idx) {
		if k < 0 {
			continue
		}
		y := row(dst, int(k))
		for j, x := range row(src, i) {
			y[j] += x
		}
	}
	return nil
}

// CrossEntropy computes whole rows of logits, one at a time.
func (*Reference) CrossEntropy(a *CrossEntropyArgs) error {
	targets := integers(a.Targets)
	count := countTargets(targets)
	var loss float64
	for i, t := range targets {
		p, lse := softmaxRow(a, i)
		if !a.LSE.None() {
			row(a.LSE, 0)[i] = lse
		}
		if t >= 0 {
			loss -= math.Log(p[t])
		}
		if !a.DX.None() {
			headGrad(a, i, t, p, 1/count)
		}
	}
	row(a.Loss, 0)[0] = 0
	if count > 0 {
		row(a.Loss, 0)[0] = loss / count
	}
	return nil
}

// CrossEntropyGrad is the gradient for a trainable head.
func (r *Reference) CrossEntropyGrad(a *CrossEntropyArgs) error {
	targets := integers(a.Targets)
	if !a.DEmbed.None() {
		if err := r.Zero(a.DEmbed); err != nil {
			return err
		}
	}
	scale := row(a.DLoss, 0)[0] / countTargets(targets)
	for i, t := range targets {
		p, _ := softmaxRow(a, i)
		headGrad(a, i, t, p, scale)
	}
	return nil
}

func countTargets(targets []int32) float64 {
	n := 0.0
	for _, t := range targets {
		if t >= 0 {
			n++
		}
	}
	return n
}

// softmaxRow is row i's distribution over the vocabulary and its log-sum-exp.
func softmaxRow(a *CrossEntropyArgs, i int) (p []float64, lse float64) {
	p = make([]float64, a.Embed.Rows)
	top := math.Inf(-1)
	for v := range p {
		p[v] = dot(row(a.X, i), row(a.Embed.Tensor, v))
		top = max(top, p[v])
	}
	var sum float64
	for _, l := range p {
		sum += math.Exp(l - top)
	}
	lse = top + math.Log(sum)
	for v, l := range p {
		p[v] = math.Exp(l - lse)
	}
	return p, lse
}

// headGrad adds row i's part of the gradients; an ignored row has none.
func headGrad(a *CrossEntropyArgs, i int, target int32, p []float64, scale float64) {
	var dx []float64
	if !a.DX.None() {
		dx = row(a.DX, i)
		clear(dx)
	}
	if target < 0 {
		return
	}
	for v := range p {
		d := p[v] * scale
		if v == int(target) {
			d -= scale
		}
		e := row(a.Embed.Tensor, v)
		for j := range dx {
			dx[j] += d * e[j]
		}
		if !a.DEmbed.None() {
			de, x := row(a.DEmbed, v), row(a.X, i)
			for j := range de {
				de[j] += d * x[j]
			}
		}
	}
}
