package kernel

// Dropout is inverted dropout with a mask that is a function of a counter:
//
//	dst[i] = x[i]·1/(1-p) if DropoutKeep(key, first+i, p), else 0
//
// so the backward pass is Dropout of the gradient with the same p, key and first. The factor 1/(1-p)
// is rounded to float32 first. p ≤ 0 changes nothing and p ≥ 1 removes everything. dst must be as
// long as x and may be x itself. A removed NaN is 0.
func Dropout(dst, x []float32, p float32, key, first uint64) {
	if short(len(x)) {
		dropoutRow(dst, x, p, key, first)
		return
	}
	t := tasks.get()
	t.a, t.b, t.s[0], t.key, t.first = dst[:len(x)], x, p, key, first
	t.overElements(len(x), func(t *task, lo, hi int) {
		dropoutRow(t.a[lo:hi], t.b[lo:hi], t.s[0], t.key, t.first+uint64(lo))
	})
}

// dropoutRow is Dropout in the calling goroutine.
func dropoutRow(dst, x []float32, p float32, key, first uint64) {
	switch {
	case p <= 0:
		copy(dst[:len(x)], x)
		return
	case p >= 1:
		clear(dst[:len(x)])
		return
	}
	limit, scale := dropoutThreshold(p), 1/(1-p)
	for len(x) > 0 {
		n := len(x)
		if room := 1<<32 - first&(1<<32-1); uint64(n) > room { // the high word changes inside
			n = int(room)
		}
		k0, k1 := dropoutWords(key, uint32(first>>32))
		dropoutRun(dst[:n], x[:n], &dropoutMask{uint32(first), k0, k1, limit, scale})
		dst, x, first = dst[n:], x[n:], first+uint64(n)
	}
}

// dropoutMask is what a run of elements that share the high word of their number needs.
type dropoutMask struct {
	count, k0, k1, limit uint32 // count is the low word of the first element's number
	scale                float32
}

// dropoutRun is dropoutRow for such a run.
func dropoutRun(dst, x []float32, m *dropoutMask) {
	dst = dst[:len(x)]
	if dropoutArch(dst, x, m) {
		return
	}
	for i, v := range x {
		if dropoutMix(m.count+uint32(i), m.k0, m.k1) >= m.limit {
			dst[i] = v * m.scale
		} else {
			dst[i] = 0
		}
	}
}

// dropoutMix is dropoutHash with the words of the key at hand.
func dropoutMix(x, k0, k1 uint32) uint32 {
	x ^= k0
	x = (x ^ x>>16) * 0x7feb352d
	x += k1
	x = (x ^ x>>15) * 0x846ca68b
	return x ^ x>>16
}
