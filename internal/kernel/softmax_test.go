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
		for _, s := range append([][2]int{{2, 50257}}, normShapes...) {
			rows, cols := s[0], s[1]
			x, _ := guardedMatrix(r, rows, cols)
			dy, _ := guardedMatrix(r, rows, cols)
			y, checkY := guardedMatrix(r, rows, cols)
			l, checkL := guardedMatrix(r, rows, cols)
			dx, checkX := guardedMatrix(r, rows, cols)
			Scale(x.V, x.V, 4)
			for i := range rows { // the scaling went over the guards too
				if i%3 == 1 && cols > 1 {
					x.row(i)[cols/2] = float32(math.Inf(-1))
				}
			}
			Softmax(y, x)
			LogSoftmax(l, x)
			SoftmaxGrad(dx, dy, y)
			checkY(t, "Softmax")
			checkL(t, "LogSoftmax")
			checkX(t, "SoftmaxGrad")
			for i := range rows {
				p, lse := softmax64(x.row(i))
				dot := 0.0
				for j := range p {
					dot += p[j] * float64(dy.row(i)[j])
				}
				for j, v := range x.row(i) {
					at := fmt.Sprintf("%dx%d [%d][%d]", rows, cols, i, j)
					near(t, "Softmax "+at, y.row(i)[j], p[j], 2e-6)
					near(t, "LogSoftmax "+at, l.row(i)[j], float64(v)-lse, 2e-6)
					near(t, "SoftmaxGrad "+at, dx.row(i)[j], p[j]*(float64(dy.row(i)[j])-dot), 4e-6)
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
			sum := float64(expSumRow(y.v, x[1000:1000+n], 0.5))
			y.check(t, "expSumRow")
			want := 0.0
			for i := range n {
				one := [1]float32{}
				expSumRow(one[:], x[1000+i:1001+i], 0.5)
				if one[0] != y.v[i] {
					t.Fatalf("exp of element %d of %d depends on its place", i, n)
				}
				want += float64(y.v[i])
			}
			near(t, "sum", float32(sum), want, 2e-6)
			if again := expSumRow(nil, x[1000:1000+n], 0.5); float64(again) != sum {
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
	for _, s := range [][2]int{{5, 50257}, {4096, 64}} {
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
