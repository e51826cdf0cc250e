package testkit

import (
	"math"
	"testing"
)

// Close fails the test where got and want, numbers of what, differ by more than gate or in length.
func Close(t testing.TB, what string, got, want []float32, gate float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	var worst float64
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= worst) { // a NaN is the worst
			worst = d
		}
	}
	t.Logf("%s: largest difference %.1e, gate %.1e", what, worst, gate)
	if !(worst <= gate) {
		t.Errorf("%s: largest difference %g, want at most %g", what, worst, gate)
	}
}
