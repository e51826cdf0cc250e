package nn

import (
	"math"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// eachQuery calls f for every query row and head with the key rows the query sees, in order.
func (a *AttentionArgs) eachQuery(f func(q, head int, keys []int)) {
	qs, ks, parents := integers(a.QStarts), integers(a.KStarts), integers(a.Parent)
	for s := 0; s+1 < len(qs); s++ {
		for q := int(qs[s]); q < int(qs[s+1]); q++ {
			var keys []int
			if parents != nil && parents[s] >= 0 {
				p := parents[s]
				for k := ks[p]; k < ks[p+1]; k++ {
					keys = append(keys, int(k))
				}
			}
			for k := int(ks[s]); k < int(ks[s+1]); k++ {
				if !a.Causal || k <= q {
					keys = append(keys, k)
				}
			}
			for h := range a.Heads {
				f(q, h, keys)
			}
		}
	}
}

// head is the part of row i that belongs to head h.
func (a *AttentionArgs) head(t Tensor, i, h int) []float64 {
	d := t.Cols / a.Heads
	return row(t, i)[h*d:][:d]
}

// weights is the softmax over the keys, and what dropout multiplies each weight by.
func (a *AttentionArgs) weights(q, h int, keys []int) (w, keep []float64, lse float64) {
	w, keep = make([]float64, len(keys)), make([]float64, len(keys))
	top := math.Inf(-1)
	for i, k := range keys {
		w[i] = dot(a.head(a.Q, q, h), a.head(a.K, k, h)) * float64(a.Scale)
		top = max(top, w[i])
	}
	var sum float64
	for i := range w {
		sum += math.Exp(w[i] - top)
	}
	lse = top + math.Log(sum)
	for i := range w {
		w[i] = math.Exp(w[i] - lse)
		keep[i] = 1
		if a.Drop.P > 0 {
			keep[i] = 0
			key := maskKey(integers(a.Drop.State), a.Drop.Site)
			if kernel.DropoutKeep(key, kernel.AttentionElement(h, q, i), a.Drop.P) {
				keep[i] = 1 / (1 - float64(a.Drop.P))
			}
		}
	}
	return w, keep, lse
}

// Attention follows its formula.
func (*Reference) Attention(a *AttentionArgs) error {
	a.eachQuery(func(q, h int, keys []int) {
		w, keep, lse := a.weights(q, h, keys)
		out := a.head(a.Out, q, h)
		clear(out)
		for i, k := range keys {
			for j, v := range a.head(a.V, k, h) {
				out[j] += w[i] * keep[i] * v
			}
		}
		if !a.LSE.None() {
			row(a.LSE, q)[h] = lse
		}
	})
	return nil
}

// AttentionGrad is the derivative of Attention.
func (r *Reference) AttentionGrad(a *AttentionArgs) error {
	for _, t := range [...]Tensor{a.DQ, a.DK, a.DV} {
		if err := r.Zero(t); err != nil {
			return err
		}
	}
	a.eachQuery(func(q, h int, keys []int) {
		w, keep, _ := a.weights(q, h, keys)
		do := a.head(a.DOut, q, h)
		var mean float64
		dw := make([]float64, len(keys))
		for i, k := range keys {
			dw[i] = dot(do, a.head(a.V, k, h)) * keep[i]
			mean += w[i] * dw[i]
			for j, d := range do {
				a.head(a.DV, k, h)[j] += w[i] * keep[i] * d
			}
		}
		for i, k := range keys {
			ds := w[i] * (dw[i] - mean) * float64(a.Scale)
			for j := range do {
				a.head(a.DQ, q, h)[j] += ds * a.head(a.K, k, h)[j]
				a.head(a.DK, k, h)[j] += ds * a.head(a.Q, q, h)[j]
			}
		}
	})
	return nil
}

// AttentionPool computes keys and values.
func (r *Reference) AttentionPool(a *PoolArgs) error { return a.byKeys(r) }

// CachedAttention writes the rows, then attends to the listed ones.
func (r *Reference) CachedAttention(c *CachedAttentionArgs) error {
	for i, s := range integers(c.Slots) {
		copy(row(c.CacheK, int(s)), row(c.K, i))
		copy(row(c.CacheV, int(s)), row(c.V, i))
	}
	a := &AttentionArgs{Q: c.Q, K: c.CacheK, V: c.CacheV, Out: c.Out, Heads: c.Heads, Scale: c.Scale}
	table := integers(c.Table)
	for q, n := range integers(c.Lens) {
		keys := make([]int, n)
		for i := range keys {
			keys[i] = int(table[q*c.Table.Cols+i])
		}
		for h := range c.Heads {
			w, _, _ := a.weights(q, h, keys)
			out := a.head(c.Out, q, h)
			clear(out)
			for i, k := range keys {
				for j, v := range a.head(c.CacheV, k, h) {
					out[j] += w[i] * v
				}
			}
		}
	}
	return nil
}
