package kernel

import (
	"math"
	"testing"
)

// The share of removed elements is p, for single places and for neighbours together, and masks of
// different steps and sites agree no more often than chance.
func TestDropoutIsFair(t *testing.T) {
	const n = 1 << 20
	within := func(what string, got, want float64) {
		t.Helper()
		sigma := math.Sqrt(want * (1 - want) / n)
		if math.Abs(got-want) > 5*sigma {
			t.Errorf("%s: %.5f, want %.5f ± %.5f", what, got, want, 5*sigma)
		}
	}
	for _, p := range []float32{0.1, 0.5, 0.9} {
		key, other := DropoutKey(1, 2, 3), DropoutKey(1, 3, 3)
		var one, pair, both float64
		for i := range uint64(n) {
			a := !DropoutKeep(key, i, p)
			if a {
				one += 1.0 / n
			}
			if a && !DropoutKeep(key, i+1, p) {
				pair += 1.0 / n
			}
			if a && !DropoutKeep(other, i, p) {
				both += 1.0 / n
			}
		}
		within("removed", one, float64(p))
		within("neighbours", pair, float64(p)*float64(p))
		within("two steps", both, float64(p)*float64(p))
	}
	if DropoutKey(1, 2, 3) == DropoutKey(1, 2, 4) || dropoutHash(7, 5) == dropoutHash(7, 5+1<<32) {
		t.Error("site or high word does not count")
	}
}
