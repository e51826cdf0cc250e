package testkit

import (
	"slices"
	"testing"
)

// Quantiles holds a sample against a distribution of which quantiles are given, evenly spaced from the least to the greatest: the
// Kolmogorov-Smirnov distance at the quantiles must not be more than limit. A distribution of one value must be met exactly.
func Quantiles(t testing.TB, what string, sample []float32, want []float64, limit float64) {
	t.Helper()
	if len(sample) == 0 || len(want) < 2 {
		t.Fatalf("%s: %d numbers against %d quantiles", what, len(sample), len(want))
	}
	sorted := slices.Clone(sample)
	slices.Sort(sorted)
	if first := want[0]; first == want[len(want)-1] {
		if least, most := float64(sorted[0]), float64(sorted[len(sorted)-1]); least != first || most != first {
			t.Errorf("%s: numbers from %g to %g, want %g throughout", what, least, most, first)
		}
		return
	}
	for i, q := range want[1 : len(want)-1] {
		below, _ := slices.BinarySearch(sorted, float32(q))
		share, wanted := float64(below)/float64(len(sorted)), float64(i+1)/float64(len(want)-1)
		if d := share - wanted; d > limit || d < -limit {
			t.Errorf("%s: %.4f of the numbers are below %g, want %.4f", what, share, q, wanted)
			return
		}
	}
}
