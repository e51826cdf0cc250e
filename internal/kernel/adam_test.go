package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Several steps against the formula in float64.
func TestAdamW(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, n := range append([]int{2*taskGrain + 3}, oddSizes...) {
			draw := func() float32 { return normal(r) }
			p, m, v, g := filled(n, 0, draw), filled(n, 1, draw), filled(n, 2, draw), newGuarded(n, 1)
			clear(m.v)
			clear(v.v)
			wp, wm, wv := widen(p.v), widen(m.v), widen(v.v)
			o := AdamW{LR: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, WeightDecay: 0.1}
			for step := 1; step <= 4; step++ {
				for i := range g.v {
					g.v[i] = normal(r)
				}
				o.Step = step
				o.Update(p.v, m.v, v.v, g.v, 0.5)
				adamW64(wp, wm, wv, g.v, o, 0.5)
			}
			for _, b := range []guarded{p, m, v, g} {
				b.check(t, "Update")
			}
			for i := range n {
				at := fmt.Sprintf("n=%d [%d]", n, i)
				near(t, "m"+at, m.v[i], wm[i], 1e-6)
				near(t, "v"+at, v.v[i], wv[i], 1e-6)
				near(t, "p"+at, p.v[i], wp[i], 2e-6)
			}
		}
	})
}

// An element's update does not depend on its place.
func TestAdamWPosition(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		const n = 77
		r := rand.New(rand.NewPCG(2, 2))
		o := AdamW{LR: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, Step: 3}
		draw := func() float32 { x := normal(r); return x * x }
		p, m, v, g := filled(n, 0, draw).v, filled(n, 1, draw).v, filled(n, 2, draw).v, filled(n, 1, draw).v
		p1, m1, v1 := slices.Clone(p), slices.Clone(m), slices.Clone(v)
		o.Update(p, m, v, g, 1)
		for i := range n {
			o.Update(p1[i:i+1], m1[i:i+1], v1[i:i+1], g[i:i+1], 1)
		}
		if !slices.Equal(p, p1) || !slices.Equal(m, m1) || !slices.Equal(v, v1) {
			t.Error("an update depends on its place")
		}
	})
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func adamW64(p, m, v []float64, g []float32, o AdamW, scale float64) {
	b1, b2, lr := float64(o.Beta1), float64(o.Beta2), float64(o.LR)
	rate := lr * math.Sqrt(1-math.Pow(b2, float64(o.Step))) / (1 - math.Pow(b1, float64(o.Step)))
	for i := range p {
		d := float64(g[i]) * scale
		m[i] = b1*m[i] + (1-b1)*d
		v[i] = b2*v[i] + (1-b2)*d*d
		p[i] -= rate * m[i] / (math.Sqrt(v[i]) + float64(o.Eps))
		p[i] -= lr * float64(o.WeightDecay) * p[i]
	}
}

func BenchmarkAdamW(b *testing.B) {
	const n = 39 << 20 // a quarter of GPT-2 small with the MLP mapper
	p, m, v, g := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range g {
		p[i], m[i], v[i], g[i] = 1, 1e-3, 1e-6, 1e-3
	}
	o := AdamW{LR: 1e-5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, Step: 1}
	b.Run("update", func(b *testing.B) {
		b.SetBytes(28 * n)
		for b.Loop() {
			o.Update(p, m, v, g, 1)
		}
	})
	b.Run("limit-add", func(b *testing.B) { // reads and writes in nearly the same proportion, with no arithmetic to speak of
		b.SetBytes(12 * n)
		for b.Loop() {
			Add(p, p, g)
		}
	})
}
