package main

import (
	"fmt"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// streamFloats is how many float32 a memory stream covers: 256 MiB, far more than any cache.
const streamFloats = 64 << 20

// touched returns n floats whose pages all exist: untouched ones share one page of zeros, which
// would be read from the cache.
func touched(n int) []float32 {
	x := kernel.Aligned(n)
	for i := range x {
		x[i] = float32(i%17) * 0.01
	}
	return x
}

// fmaPeak is what the multiply-add units can do in the instruction set in use.
func fmaPeak() limit {
	return limit{"multiply-add peak", func() float64 { return kernel.SpinFMA(20_000) }}
}

// dotPeak is what the bfloat16 units can do: tiles, pairs, or the multiply-add units where there is nothing else.
func dotPeak() limit {
	switch {
	case kernel.SpinTiles(1) > 0:
		return limit{"bfloat16 tiles peak", func() float64 { return kernel.SpinTiles(20_000) }}
	case kernel.SpinDot(1) > 0:
		return limit{"bfloat16 pairs peak", func() float64 { return kernel.SpinDot(20_000) }}
	}
	return fmaPeak()
}

// over is the limit of work that takes n of l's operations for each of its own.
func (l limit) over(n float64) limit {
	return limit{fmt.Sprintf("%s / %.3g", l.name, n), func() float64 { return l.run() / n }}
}

// readMemory is what reading main memory can do.
func readMemory() limit {
	x := touched(streamFloats)
	return limit{"reading memory", func() float64 { kernel.StreamRead(x); return 4 * streamFloats }}
}

// mapFloats is what an element-wise pass over as many floats as the kernel's can do, in whichever
// cache they fit: bytes read and written.
func mapFloats(n int) limit {
	dst, src := touched(n), touched(n)
	return limit{"read and write alike", func() float64 { kernel.StreamMap(dst, src); return 8 * float64(n) }}
}

// mergeFloats is the same for a kernel that reads two streams and writes one.
func mergeFloats(n int) limit {
	dst, a, b := touched(n), touched(n), touched(n)
	return limit{"read two, write one", func() float64 { kernel.Add(dst, a, b); return 12 * float64(n) }}
}

// vectorOps is what the vector units can do where an element of bytes costs n arithmetic instructions of
// a vector's share each: what they do in multiply-adds, which are two operations. Units that only add may do more
// beside them.
func vectorOps(n int, bytes float64) limit {
	return limit{fmt.Sprintf("%d vector operations", n), func() float64 { return kernel.SpinFMA(20_000) / 2 / float64(n) * bytes }}
}
