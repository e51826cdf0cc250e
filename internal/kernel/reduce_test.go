package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestReduce(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, n := range append([]int{3*reducePiece + 11}, oddSizes...) {
			x := filled(n, n%4, func() float32 { return normal(r) })
			var squares float64
			for _, v := range x.v {
				squares += float64(v) * float64(v)
			}
			first := SumSquares(x.v)
			if d := math.Abs(first - squares); d > 1e-13*squares {
				t.Fatalf("n=%d: SumSquares = %v, want %v", n, first, squares)
			}
			onWorkers(func() {
				if got := SumSquares(x.v); got != first {
					t.Fatalf("n=%d: the sum depends on the number of workers", n)
				}
			})
			if y := filled(n, 1, func() float32 { return normal(r) }); n > 0 {
				dot, mag := 0.0, 0.0
				for i := range n {
					dot += float64(x.v[i]) * float64(y.v[i])
					mag += math.Abs(float64(x.v[i]) * float64(y.v[i]))
				}
				if got := float64(dotRow(x.v, y.v)); math.Abs(got-dot) > 1e-6*mag {
					t.Fatalf("n=%d: dot = %v, want %v", n, got, dot)
				}
			}
		}
		big := []float32{math.MaxFloat32, math.MaxFloat32, -3}
		if got, want := SumSquares(big), 2*float64(math.MaxFloat32)*math.MaxFloat32+9; got != want {
			t.Errorf("SumSquares of great numbers = %v, want %v", got, want)
		}
	})
}

func TestTopK(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		cases := [][]float32{{nan}, {nan, nan, -inf}, {-inf, -inf}, {nan, 1, nan, 1}, {inf, nan, inf}, {0, float32(math.Copysign(0, -1)), 0}}
		for _, n := range append([]int{50257}, oddSizes[1:]...) {
			cases = append(cases, filled(n, n%3, func() float32 { return normal(r) }).v,
				filled(n, n%3, func() float32 { return float32(r.IntN(4)) }).v,
				filled(n, n%3, func() float32 { return []float32{nan, -inf, 1, 2}[r.IntN(4)] }).v)
			rising := make([]float32, n)
			for i := range rising {
				rising[i] = float32(i)
			}
			cases = append(cases, rising)
		}
		for _, x := range cases {
			order := make([]int32, len(x))
			for i := range order {
				order[i] = int32(i)
			}
			slices.SortStableFunc(order, func(a, b int32) int {
				switch u, v := x[a], x[b]; {
				case u > v || u == u && v != v:
					return -1
				case u < v || u != u && v == v:
					return 1
				}
				return 0
			})
			for _, k := range []int{0, 1, 2, 5, 40, len(x), len(x) + 1} {
				idx, val := make([]int32, k), newGuarded(k, 1)
				TopK(x, k, idx, val.v)
				val.check(t, "TopK")
				n := min(k, len(x))
				if !slices.Equal(idx[:n], order[:n]) {
					t.Fatalf("n=%d k=%d: %v, want %v", len(x), k, idx[:n], order[:n])
				}
				for i := range n {
					if v := x[idx[i]]; v != val.v[i] && v == v {
						t.Fatalf("n=%d k=%d: value %d is %v, want %v", len(x), k, i, val.v[i], v)
					}
				}
			}
		}
	})
}

func BenchmarkReduce(b *testing.B) {
	const n = 32 << 20
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%7) - 3
	}
	for _, c := range []struct {
		name string
		n    int
		f    func(x []float32)
	}{
		{"squares", n, func(x []float32) { SumSquares(x) }},
		{"top5-50257", 50257, func() func(x []float32) {
			var idx [5]int32
			var val [5]float32
			return func(x []float32) { TopK(x, 5, idx[:], val[:]) }
		}()},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(4 * c.n))
			for b.Loop() {
				c.f(x[:c.n])
			}
		})
	}
}
