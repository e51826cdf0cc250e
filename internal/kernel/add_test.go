package kernel

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// oddSizes are lengths around the widths of vectors and of groups of them, and primes.
var oddSizes = []int{0, 1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 61, 64, 67, 95, 96, 97, 113, 127, 128, 131, 191, 193, 257, 769, 1031}

// guard is what surrounds a buffer under test.
const guard = float32(-7.25e33)

// guarded is a buffer of n elements with guards in front and behind, at an odd alignment.
type guarded struct{ all, v []float32 }

func newGuarded(n, shift int) guarded {
	front := 17 + shift
	g := guarded{all: make([]float32, front+n+33)}
	for i := range g.all {
		g.all[i] = guard
	}
	g.v = g.all[front : front+n : front+n]
	return g
}

// filled is a guarded buffer of numbers drawn by f.
func filled(n, shift int, f func() float32) guarded {
	g := newGuarded(n, shift)
	for i := range g.v {
		g.v[i] = f()
	}
	return g
}

func (g guarded) check(t *testing.T, what string) {
	t.Helper()
	front := 0
	for front < len(g.all) && (len(g.v) == 0 || &g.all[front] != &g.v[0]) {
		front++
	}
	for i, x := range g.all {
		if (i < front || i >= front+len(g.v)) && x != guard {
			t.Fatalf("%s: written at %d of %d elements", what, i-front, len(g.v))
		}
	}
}

// guardedMatrix is a matrix of normal deviates with two elements of guard between rows.
func guardedMatrix(r *rand.Rand, rows, cols int) (Matrix, func(t *testing.T, what string)) {
	g := newGuarded(rows*(cols+2), rows%5)
	m := Matrix{V: g.v, Rows: rows, Cols: cols, Stride: cols + 2}
	for i := range rows {
		for j := range cols {
			m.row(i)[j] = normal(r)
		}
	}
	return m, func(t *testing.T, what string) {
		t.Helper()
		g.check(t, what)
		for i := range rows {
			for _, x := range g.v[i*m.Stride+cols : (i+1)*m.Stride] {
				if x != guard {
					t.Fatalf("%s: written behind row %d", what, i)
				}
			}
		}
	}
}

func normal(r *rand.Rand) float32 { return float32(r.NormFloat64()) }

// near fails unless got is within tol·max(1, |want|) of want, or both are NaN.
func near(t *testing.T, what string, got float32, want, tol float64) {
	t.Helper()
	g := float64(got)
	if math.IsNaN(g) && math.IsNaN(want) || g == want {
		return
	}
	if d := math.Abs(g - want); !(d <= tol*max(1, math.Abs(want))) {
		t.Fatalf("%s = %v, want %v (off by %.3g)", what, got, want, d)
	}
}

// ulps is the distance of got from want in units of the last place of float32 at want.
func ulps(got float32, want float64) float64 {
	g := float64(got)
	if g == want || math.IsNaN(g) && math.IsNaN(want) {
		return 0
	}
	limit := float64(math.MaxFloat32) * (1 + 0x1p-25)
	if math.Abs(want) >= limit && math.IsInf(g, int(math.Copysign(1, want))) {
		return 0
	}
	_, e := math.Frexp(want)
	return math.Abs(g-want) / math.Ldexp(1, max(e-24, -149))
}

// onWorkers runs f with one, two and five processors.
func onWorkers(f func()) {
	old := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(old)
	for _, p := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(p)
		f()
	}
}

// noAllocs fails if f allocates once it is warm.
func noAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	for range 3 {
		f()
	}
	if n := testing.AllocsPerRun(20, f); n != 0 {
		t.Errorf("%s allocates %v objects a call", what, n)
	}
}

func TestAddScale(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, n := range append([]int{100003}, oddSizes...) {
			for shift := range 3 {
				draw := func() float32 { return normal(r) }
				a, b, dst := filled(n, shift, draw), filled(n, 0, draw), newGuarded(n, 2*shift)
				Add(dst.v, a.v, b.v)
				dst.check(t, "Add")
				for i := range n {
					if want := a.v[i] + b.v[i]; dst.v[i] != want {
						t.Fatalf("n=%d: Add[%d] = %v, want %v", n, i, dst.v[i], want)
					}
				}
				Scale(dst.v, a.v, 0.3)
				dst.check(t, "Scale")
				for i := range n {
					if want := a.v[i] * 0.3; dst.v[i] != want {
						t.Fatalf("n=%d: Scale[%d] = %v, want %v", n, i, dst.v[i], want)
					}
				}
			}
		}
	})
}

func TestElementwiseAllocatesNothing(t *testing.T) {
	const rows, cols = 90, 1000
	x, y, z := make([]float32, rows*cols), make([]float32, rows*cols), make([]float32, rows*cols)
	one, idx := make([]float32, cols), make([]int32, rows)
	stat, sums, dgain, dbias := make([]float32, rows), make([]float32, rows), make([]float32, cols), make([]float32, cols) // apart: pieces write them
	mx, my, mz := Mat(x, rows, cols), Mat(y, rows, cols), Mat(z, rows, cols)
	o := AdamW{LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, Step: 1}
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"Add", func() { Add(x, y, z) }},
		{"Scale", func() { Scale(x, y, 2) }},
		{"Act", func() { Act(x, y, GELUTanh) }},
		{"ActGrad", func() { ActGrad(x, y, z, GELUErf) }},
		{"LayerNorm", func() { LayerNorm(mx, my, one, one, 1e-5, stat, nil) }},
		{"LayerNormGrad", func() { LayerNormGrad(mx, my, mz, one, one[:rows], one[:rows], dgain, dbias) }},
		{"L2Normalize", func() { L2Normalize(mx, my, nil) }},
		{"L2NormalizeGrad", func() { L2NormalizeGrad(mx, my, mz, one[:rows]) }},
		{"Softmax", func() { Softmax(mx, my) }},
		{"SoftmaxChunk", func() { SoftmaxChunk(mx, my, stat, sums, nil) }},
		{"CrossEntropyChunkGrad", func() { CrossEntropyChunkGrad(mx, my, one[:rows], idx, 0, one[:rows]) }},
		{"Gather", func() { Gather(mx, my, idx, true) }},
		{"ScatterAdd", func() { ScatterAdd(mx, my, idx) }},
		{"Dropout", func() { Dropout(x, y, 0.1, 1, 2) }},
		{"AdamW", func() { o.Update(x, y, z, z, 1) }},
		{"SumSquares", func() { SumSquares(x) }},
		{"TopK", func() { TopK(x, 5, idx, one) }},
	} {
		noAllocs(t, c.name, c.f)
	}
}

// TestJoinRow: sums in one order on every instruction set, NaN kept, nothing written beside the result.
func TestJoinRow(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range oddSizes {
			r := rand.New(rand.NewPCG(uint64(n), 3))
			draw := func() float32 { return normal(r) }
			x, a, b := filled(n, 1, draw), filled(n, 2, draw), filled(n, 3, draw)
			if n > 2 {
				a.v[n-1] = float32(math.NaN())
			}
			for _, positive := range []bool{false, true} {
				dst := newGuarded(n, 4)
				joinRow(dst.v, x.v, a.v, b.v, positive)
				dst.check(t, "joinRow")
				for i, got := range dst.v {
					want := x.v[i] + a.v[i] + b.v[i]
					if positive && want < 0 {
						want = 0
					}
					if got != want && (got == got || want == want) {
						t.Fatalf("n = %d, positive %v: element %d is %v, want %v", n, positive, i, got, want)
					}
				}
			}
		}
	})
}
