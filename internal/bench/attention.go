package main

import (
	"fmt"
	"math"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// attentions are those of the models: GPT-2 in training, the mapping network, the image and text towers.
var attentions = []struct {
	name           string
	heads, hd      int
	causal         bool
	sequences, len int
}{
	{"gpt2", 12, 64, true, 40, 22},
	{"gpt2", 12, 64, true, 40, 50},
	{"mapper", 8, 96, false, 40, 20},
	{"mapper", 8, 96, false, 40, 80},
	{"vit-b/32", 12, 64, false, 64, 50},
	{"vit-b/32", 12, 64, false, 1, 50},
	{"vit-b/16", 12, 64, false, 8, 197},
	{"vit-l/14", 16, 64, false, 8, 257},
	{"vit-l/14@336", 16, 64, false, 2, 577},
	{"text", 8, 64, true, 16, 77},
}

// attentionRows are attention forward and backward against the multiply-add peak, keys that a causal
// query does not see not counted, and attention on a cache against reading memory.
func attentionRows() []row {
	var all []row
	for _, a := range attentions {
		shape := fmt.Sprintf("%s %dx%d", a.name, a.sequences, a.len)
		rows, dim := a.sequences*a.len, a.heads*a.hd
		pairs := a.len * a.len
		if a.causal {
			pairs = a.len * (a.len + 1) / 2
		}
		products := 2 * float64(a.sequences*pairs*dim) // the operations of one product of the tile's
		seqs := kernel.Seqs{Starts: make([]int32, a.sequences+1)}
		for i := range seqs.Starts {
			seqs.Starts[i] = int32(i * a.len)
		}
		scale := float32(1 / math.Sqrt(float64(a.hd)))
		mat := func() kernel.Matrix { return kernel.Mat(spread(rows*dim), rows, dim) }
		qkv := func() [3]kernel.Matrix {
			v := spread(rows * 3 * dim)
			var m [3]kernel.Matrix
			for i := range m {
				m[i] = kernel.Matrix{V: v[i*dim:], Rows: rows, Cols: dim, Stride: 3 * dim}
			}
			return m
		}
		all = append(all, row{"attention", shape, func() contest {
			in, out, lse := qkv(), mat(), touched(rows*a.heads)
			return contest{unit: "GFLOP/s", work: 2 * products, limit: fmaPeak(), run: func() {
				kernel.Attention(out, in[0], in[1], in[2], a.heads, scale, a.causal, seqs, seqs, lse)
			}}
		}}, row{"attention grad", shape, func() contest {
			in, grad, out, dout, lse := qkv(), qkv(), mat(), mat(), touched(rows*a.heads)
			kernel.Attention(out, in[0], in[1], in[2], a.heads, scale, a.causal, seqs, seqs, lse)
			return contest{unit: "GFLOP/s", work: 5 * products, limit: fmaPeak(), run: func() {
				kernel.AttentionGrad(grad[0], grad[1], grad[2], dout, out, in[0], in[1], in[2], a.heads, scale, a.causal, seqs, seqs, lse)
			}}
		}})
	}
	for _, c := range []struct{ rows, shared, own int }{{1, 0, 40}, {5, 10, 20}, {16, 0, 40}, {1, 0, 1024}} {
		shape := fmt.Sprintf("%d rows of %d+%d", c.rows, c.shared, c.own)
		all = append(all, row{"attention cached", shape, func() contest { return cached(c.rows, c.shared, c.own) }})
	}
	return all
}

// cached is a decoding step of GPT-2's attention: rows queries see own keys each, and shared ones of a
// common beginning. Enough caches stand in a ring that none is still in the processor's.
func cached(rows, shared, own int) contest {
	const heads, dim = 12, 768
	used, n := shared+rows*own, shared+own
	slots := streamFloats / (used * dim)
	k, v := kernel.Mat(spread(slots*used*dim), slots*used, dim), kernel.Mat(spread(slots*used*dim), slots*used, dim)
	q, out := kernel.Mat(spread(rows*dim), rows, dim), kernel.Mat(touched(rows*dim), rows, dim)
	lens, tables := make([]int32, rows), make([][]int32, slots)
	for slot := range tables {
		for i := range rows {
			lens[i] = int32(n)
			for t := range n {
				at := slot*used + t
				if t >= shared {
					at += i * own
				}
				tables[slot] = append(tables[slot], int32(at))
			}
		}
	}
	slot := 0
	return contest{unit: "GB/s", work: float64(used * dim * 8), limit: readMemory(), run: func() {
		kernel.AttentionCached(out, q, k, v, heads, 0.125, tables[slot], n, lens)
		slot = (slot + 1) % slots
	}}
}
