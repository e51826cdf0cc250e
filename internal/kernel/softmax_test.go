package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func softmax64(x []float32) (p []float64, lse float64) {
	m := math.Inf(-1)
	for _, v := range x {
		m = max(m, float64(v))
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - m)
	}
	lse = m + math.Log(sum)
	for _, v := range x {
		p = append(p, math.Exp(float64(v)-lse))
	}
	return p, lse
}

func TestSoftmax(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, s := range append([][2]int{{2, 50257}, {1, rowStretch}, {3, rowStretch + 1}, {2, 3*rowStretch - 7}}, normShapes...) {
			rows, cols := s[0], s[1]
			x, _ := guardedMatrix(r, rows, cols)
			y, checkY := guardedMatrix(r, rows, cols)
			Scale(x.V, x.V, 4)
			for i := range rows { // the scaling went over the guards too
				if i%3 == 1 && cols > 1 {
					x.row(i)[cols/2] = float32(math.Inf(-1))
				}
			}
			Softmax(y, x)
			checkY(t, "Softmax")
			for i := range rows {
				p, _ := softmax64(x.row(i))
				for j := range p {
					near(t, fmt.Sprintf("%dx%d: [%d][%d]", rows, cols, i, j), y.row(i)[j], p[j], 2e-6)
				}
				one := make([]float32, cols)
				Softmax(Mat(one, 1, cols), Mat(x.row(i), 1, cols))
				if !slices.Equal(one, y.row(i)) {
					t.Fatalf("%dx%d: row %d depends on the others", rows, cols, i)
				}
			}
			Softmax(x, x)
			for i := range rows {
				if !slices.Equal(x.row(i), y.row(i)) {
					t.Fatalf("%dx%d: row %d differs in place", rows, cols, i)
				}
			}
		}
	})
}

// A row without a number, with a NaN or with an infinity is NaN, whatever stands beside it.
func TestSoftmaxEdges(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachISA(t, func(t *testing.T) {
		for _, cols := range []int{1, 15, 33, 96, 100, 769} {
			x, y := Mat(make([]float32, 5*cols), 5, cols), Mat(make([]float32, 5*cols), 5, cols)
			for j := range cols {
				x.row(0)[j] = -inf
			}
			x.row(1)[cols-1], x.row(2)[cols/2] = nan, inf
			x.row(4)[cols-1] = -3e38
			Softmax(y, x)
			for i := range 5 {
				for j, v := range y.row(i) {
					p, _ := softmax64(x.row(i))
					if i < 3 && v == v {
						t.Fatalf("%d columns: [%d][%d] is %v, want NaN", cols, i, j, v)
					} else if i >= 3 {
						near(t, fmt.Sprintf("%d columns: [%d][%d]", cols, i, j), v, p[j], 2e-6)
					}
				}
			}
		}
	})
}

// Rows of several stretches, some without a number, with a NaN or an infinity: what each gives, the same for any number of
// workers and beside any other rows.
func TestSoftmaxLongRows(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	const cols = 3*rowStretch + 19
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 8))
		x, _ := guardedMatrix(r, 6, cols)
		y, checkY := guardedMatrix(r, 6, cols)
		for j := range cols {
			x.row(0)[j] = -inf
			if j < rowStretch || j >= 2*rowStretch { // one stretch has numbers
				x.row(1)[j] = -inf
			}
			if j < 2*rowStretch {
				x.row(2)[j] = -inf
			}
			x.row(5)[j] *= 60 // stretches far apart
		}
		x.row(2)[7] = nan // among -Inf
		x.row(3)[cols-1] = inf
		x.row(5)[rowStretch+3] = 900
		want := make([]float32, cols)
		onWorkers(func() {
			Softmax(y, x)
			checkY(t, "Softmax")
			for i := range 6 {
				p, _ := softmax64(x.row(i))
				for j, v := range y.row(i) {
					if i != 0 && i != 2 && i != 3 {
						near(t, fmt.Sprintf("Softmax [%d][%d]", i, j), v, p[j], 2e-6)
					} else if v == v {
						t.Fatalf("[%d][%d] is %v, want NaN", i, j, v)
					}
				}
				Softmax(Mat(want, 1, cols), Mat(x.row(i), 1, cols))
				if i != 0 && i != 2 && i != 3 && !slices.Equal(want, y.row(i)) {
					t.Fatalf("row %d depends on the others", i)
				}
			}
		})
		noAllocs(t, "Softmax", func() { Softmax(y, x) })
	})
}

// exp, as the kernels compute it, over the whole of float32.
func TestExpSweep(t *testing.T) {
	x := sweep()
	got := make([]float32, len(x))
	eachISA(t, func(t *testing.T) {
		expScaleRow(got, x, 0, 1)
		worst, at := 0.0, float32(0)
		for i, v := range x {
			if e := ulps(got[i], math.Exp(float64(v))); !(e <= worst) {
				worst, at = e, v
			}
		}
		t.Logf("exp: %.3f ULP at %v", worst, at)
		if !(worst <= expULP) {
			t.Errorf("exp: %.3f ULP at %v", worst, at)
		}
		for _, n := range oddSizes {
			y := newGuarded(n, 1)
			sum := float64(expSumRow(y.v, x[1000:1000+n], 0.5, 0))
			y.check(t, "expSumRow")
			want := 0.0
			for i := range n {
				one := [1]float32{}
				expSumRow(one[:], x[1000+i:1001+i], 0.5, 0)
				if one[0] != y.v[i] {
					t.Fatalf("exp of element %d of %d depends on its place", i, n)
				}
				want += float64(y.v[i])
			}
			near(t, "sum", float32(sum), want, 2e-6)
			if again := expSumRow(nil, x[1000:1000+n], 0.5, 0); float64(again) != sum {
				t.Fatalf("n=%d: sum %v, without results %v", n, sum, again)
			}
		}
	})
}

// expULP is the bound that the documentation of Softmax states.
const expULP = 1

func TestTanhSweep(t *testing.T) {
	x := sweep()
	got := make([]float32, len(x))
	eachISA(t, func(t *testing.T) {
		Act(got, x, Tanh)
		worst, at := 0.0, float32(0)
		for i, v := range x {
			if e := ulps(got[i], math.Tanh(float64(v))); !(e <= worst) {
				worst, at = e, v
			}
		}
		t.Logf("tanh: %.3f ULP at %v", worst, at)
		if !(worst <= tanhULP) {
			t.Errorf("tanh: %.3f ULP at %v", worst, at)
		}
	})
}

// tanhULP is the bound that the documentation of Act states.
const tanhULP = 2.5

func BenchmarkSoftmax(b *testing.B) {
	for _, s := range [][2]int{{1200, 768}, {4096, 64}} {
		rows, cols := s[0], s[1]
		x, y := make([]float32, rows*cols), make([]float32, rows*cols)
		r := rand.New(rand.NewPCG(6, 6))
		for i := range x {
			x[i] = normal(r)
		}
		b.Run(fmt.Sprintf("%dx%d", rows, cols), func(b *testing.B) {
			b.SetBytes(int64(8 * rows * cols))
			for b.Loop() {
				Softmax(Mat(y, rows, cols), Mat(x, rows, cols))
			}
		})
	}
}
