package main

import (
	"math"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// elementRows are the kernels that pass over memory once or twice. Their limits are a pass that only
// adds one, over as much memory in as many streams (bytes are those the kernel must read and write), and
// what the vector units can do of the arithmetic: the instructions of the kernel's formulas, counted in the
// assembly's macros, without loads and stores, at the rate of multiply-adds, two a cycle. Where other units
// add and compare beside those that multiply (AMD since Zen), a kernel can pass that.
func elementRows() []row {
	const rows, dim, wide, parameters = 1200, 768, 3072, 156_000_000
	var all []row
	add := func(name string, n, m int, prepare func() contest) {
		all = append(all, row{name, dims(n, m), prepare})
	}
	for _, a := range []struct {
		name string
		act  kernel.Activation
		ops  int
	}{{"gelu tanh", kernel.GELUTanh, 17}, {"quickgelu", kernel.QuickGELU, 15}, {"tanh", kernel.Tanh, 19}} {
		add(a.name, rows, wide, func() contest {
			y, x := touched(rows*wide), spread(rows*wide)
			return mapped(rows*wide, a.ops, func() { kernel.Act(y, x, a.act) })
		})
	}
	add("gelu tanh grad", rows, wide, func() contest {
		dx, dy, x := touched(rows*wide), touched(rows*wide), spread(rows*wide)
		return merged(rows*wide, 25, func() { kernel.ActGrad(dx, dy, x, kernel.GELUTanh) })
	})
	add("layernorm", rows, dim, func() contest {
		y, x, gain, bias := kernel.Mat(touched(rows*dim), rows, dim), kernel.Mat(spread(rows*dim), rows, dim), touched(dim), touched(dim)
		mean, rstd := touched(rows), touched(rows)
		return mapped(rows*dim, 6, func() { kernel.LayerNorm(y, x, gain, bias, 1e-5, mean, rstd) })
	})
	add("layernorm grad", rows, dim, func() contest {
		mat := func() kernel.Matrix { return kernel.Mat(spread(rows*dim), rows, dim) }
		dx, dy, x, gain, dgain, dbias := mat(), mat(), mat(), touched(dim), touched(dim), touched(dim)
		mean, rstd := touched(rows), spread(rows)
		return merged(rows*dim, 11, func() { kernel.LayerNormGrad(dx, dy, x, gain, mean, rstd, dgain, dbias) })
	})
	add("softmax", rows, dim, func() contest {
		y, x := kernel.Mat(touched(rows*dim), rows, dim), kernel.Mat(spread(rows*dim), rows, dim)
		return mapped(rows*dim, 17, func() { kernel.Softmax(y, x) })
	})
	const targets, chunk = 480, 4096
	add("cross-entropy", targets, chunk, func() contest {
		p, x := kernel.Mat(touched(targets*chunk), targets, chunk), kernel.Mat(spread(targets*chunk), targets, chunk)
		top, sum, corr := touched(targets), touched(targets), touched(targets)
		return mapped(targets*chunk, 16, func() {
			for i := range top {
				top[i], sum[i] = float32(math.Inf(-1)), 0
			}
			kernel.SoftmaxChunk(p, x, top, sum, corr)
		})
	})
	add("cross-entropy grad", targets, chunk, func() contest {
		d, x := kernel.Mat(touched(targets*chunk), targets, chunk), kernel.Mat(spread(targets*chunk), targets, chunk)
		lse, scale, ids := touched(targets), touched(targets), make([]int32, targets)
		return mapped(targets*chunk, 15, func() { kernel.CrossEntropyChunkGrad(d, x, lse, ids, 0, scale) })
	})
	all = append(all, row{"adamw", "156M", func() contest {
		p, m, v, g := touched(parameters), touched(parameters), touched(parameters), touched(parameters)
		o := kernel.AdamW{LR: 2e-5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, WeightDecay: 0.01, Step: 1000}
		return contest{unit: "GB/s", work: 28 * parameters, run: func() { o.Update(p, m, v, g, 1) }, limit: limit{"four streams read, three written",
			func() float64 { kernel.StreamUpdate(p, m, v, g); return 28 * parameters }}}
	}})
	return all
}

// spread returns n floats over about -4 to 4, where activations and softmax do their work.
func spread(n int) []float32 {
	x := kernel.Aligned(n)
	for i := range x {
		x[i] = float32(i*7919%1601)*0.005 - 4
	}
	return x
}

// mapped is a contest of run, which reads n floats and writes n, with ops vector operations an element.
func mapped(n, ops int, run func()) contest {
	return contest{unit: "GB/s", work: 8 * float64(n), run: run, limit: mapFloats(n), also: vectorOps(ops, 8)}
}

// merged is the same for a run that reads 2n floats and writes n.
func merged(n, ops int, run func()) contest {
	return contest{unit: "GB/s", work: 12 * float64(n), run: run, limit: mergeFloats(n), also: vectorOps(ops, 12)}
}
