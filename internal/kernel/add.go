package kernel

import "math"

// Add sets dst = a + b. The three have the length of a; dst may be a or b.
func Add(dst, a, b []float32) {
	if short(len(a)) {
		addRow(dst, a, b)
		return
	}
	t := tasks.get()
	t.a, t.b, t.c = dst[:len(a)], a, b[:len(a)]
	t.overElements(len(a), func(t *task, lo, hi int) { addRow(t.a[lo:hi], t.b[lo:hi], t.c[lo:hi]) })
}

// Scale sets dst = s·x; dst may be x.
func Scale(dst, x []float32, s float32) {
	if short(len(x)) {
		scaleRow(dst, x, s)
		return
	}
	t := tasks.get()
	t.a, t.b, t.s[0] = dst[:len(x)], x, s
	t.overElements(len(x), func(t *task, lo, hi int) { scaleRow(t.a[lo:hi], t.b[lo:hi], t.s[0]) })
}

// addRow is Add in the calling goroutine.
func addRow(dst, a, b []float32) {
	dst, b = dst[:len(a)], b[:len(a)]
	if addArch(dst, a, b) {
		return
	}
	for i, v := range a {
		dst[i] = v + b[i]
	}
}

// joinRow is dst = (x + a) + b, and with positive ReLU of it.
func joinRow(dst, x, a, b []float32, positive bool) {
	dst, a, b = dst[:len(x)], a[:len(x)], b[:len(x)]
	floor := float32(math.Inf(-1))
	if positive {
		floor = 0
	}
	if joinArch(dst, x, a, b, floor) {
		return
	}
	for i, v := range x {
		if v = v + a[i] + b[i]; v < floor {
			v = floor
		}
		dst[i] = v
	}
}

// scaleRow is Scale in the calling goroutine.
func scaleRow(dst, x []float32, s float32) {
	dst = dst[:len(x)]
	if scaleArch(dst, x, s) {
		return
	}
	for i, v := range x {
		dst[i] = v * s
	}
}
