package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestDropout(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, n := range append([]int{3*taskGrain + 5}, oddSizes...) {
			for _, first := range []uint64{0, 5, 1<<32 - 3, 1<<32 - 16, 1<<40 + 77, math.MaxUint64 - 20} {
				x, y := filled(n, n%3, func() float32 { return normal(r) }), newGuarded(n, 1)
				key, p := r.Uint64(), float32(0.3)
				Dropout(y.v, x.v, p, key, first)
				y.check(t, "Dropout")
				for i, v := range x.v {
					want := float32(0)
					if DropoutKeep(key, first+uint64(i), p) {
						want = v * (1 / (1 - p))
					}
					if y.v[i] != want {
						t.Fatalf("n=%d first=%d: [%d] = %v, want %v", n, first, i, y.v[i], want)
					}
				}
				Dropout(x.v, x.v, p, key, first)
				if !slices.Equal(x.v, y.v) {
					t.Fatalf("n=%d: differs in place", n)
				}
			}
		}
	})
}

func TestDropoutEdges(t *testing.T) {
	x := []float32{1, 2, float32(math.NaN()), 4}
	y := make([]float32, 4)
	Dropout(y, x, 0, 1, 2)
	if y[0] != 1 || y[3] != 4 || y[2] == y[2] {
		t.Errorf("p=0 gives %v", y)
	}
	Dropout(y, x, 1, 1, 2)
	if !slices.Equal(y, make([]float32, 4)) {
		t.Errorf("p=1 gives %v", y)
	}
}

func BenchmarkDropout(b *testing.B) {
	const n = 1200 * 768
	x, y := make([]float32, n), make([]float32, n)
	b.SetBytes(8 * n)
	for b.Loop() {
		Dropout(y, x, 0.1, 1, 2)
	}
}
