package kernel

import "math"

// firstAbove is the lowest index at which x is greater than v, or len(x).
func firstAbove(x []float32, v float32) int {
	if i, ok := firstAboveArch(x, v); ok {
		return i
	}
	for i, u := range x {
		if u > v {
			return i
		}
	}
	return len(x)
}

// TopK finds the k greatest values: val[i] is the value and idx[i] its place, greatest first, equal
// values in the order of their places. A NaN is lower than everything. k is at most
// min(len(values), len(idx), len(val)); more is cut to that. It costs a pass over values, and
// log k for each of the roughly k·ln(n/k) values that were among the best when they were met.
func TopK(values []float32, k int, idx []int32, val []float32) {
	k = min(k, len(values), len(idx), len(val))
	if k <= 0 {
		return
	}
	h := topHeap{val[:k], idx[:k]}
	for i, v := range values[:k] {
		h.val[i], h.idx[i] = v, int32(i)
	}
	for i := k/2 - 1; i >= 0; i-- {
		h.down(i, k)
	}
	for i := k; i < len(values); i++ {
		if worst := h.val[0]; worst == worst {
			if i += firstAbove(values[i:], worst); i == len(values) {
				break
			}
		} else if v := values[i]; v != v {
			continue // one NaN does not beat an earlier one
		}
		h.val[0], h.idx[0] = values[i], int32(i)
		h.down(0, k)
	}
	for n := k - 1; n > 0; n-- {
		h.swap(0, n)
		h.down(0, n)
	}
}

// topHeap is a heap with the worst at the top: the least value, and the last place among equals.
type topHeap struct {
	val []float32
	idx []int32
}

func (h topHeap) swap(i, j int) {
	h.val[i], h.val[j] = h.val[j], h.val[i]
	h.idx[i], h.idx[j] = h.idx[j], h.idx[i]
}

// worse tells whether entry i ranks below entry j.
func (h topHeap) worse(i, j int) bool {
	a, b := h.val[i], h.val[j]
	switch {
	case a < b:
		return true
	case a > b:
		return false
	case math.IsNaN(float64(a)) != math.IsNaN(float64(b)):
		return a != a
	}
	return h.idx[i] > h.idx[j]
}

// down restores the heap of the first n entries below entry i.
func (h topHeap) down(i, n int) {
	for {
		w := i
		for c := 2*i + 1; c <= 2*i+2 && c < n; c++ {
			if h.worse(c, w) {
				w = c
			}
		}
		if w == i {
			return
		}
		h.swap(i, w)
		i = w
	}
}
