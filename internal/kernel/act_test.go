package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// activations are Act's functions and derivatives in float64, by definition.
var activations = []struct {
	name     string
	a        Activation
	f, slope func(x float64) float64
}{
	{"none", None, func(x float64) float64 { return x }, func(float64) float64 { return 1 }},
	{"gelu-tanh", GELUTanh, func(x float64) float64 {
		x = max(x, -100) // for -Inf's sake
		return x / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}, nil},
	{"quickgelu", QuickGELU, func(x float64) float64 {
		x = max(x, -100)
		return x / (1 + math.Exp(-1.702*x))
	}, nil},
	{"gelu-erf", GELUErf, func(x float64) float64 {
		x = max(x, -100)
		return x * 0.5 * math.Erfc(-x/math.Sqrt2)
	}, nil},
	{"relu", ReLU, func(x float64) float64 { return max(x, 0) }, func(x float64) float64 {
		if x > 0 {
			return 1
		}
		return 0
	}},
	{"tanh", Tanh, math.Tanh, func(x float64) float64 { return 1 / (math.Cosh(x) * math.Cosh(x)) }},
}

// sweep is a dense set of arguments: every 10007th bit pattern of float32 in order, subnormals
// included, and what lies at the edges.
func sweep() []float32 {
	inf := float32(math.Inf(1))
	x := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, float32(math.NaN()), math.MaxFloat32, -math.MaxFloat32,
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, -0x1p-126, 88.722836, 88.72284, 88.73, -87.33655, -87.4, -103.97, -103.98, -104}
	for u := uint64(0); u < 1<<32; u += 10007 {
		if v := math.Float32frombits(uint32(u)); v == v {
			x = append(x, v)
		}
	}
	for v := -12.0; v < 12; v += 1e-4 { // where the activations bend
		x = append(x, float32(v))
	}
	return x
}

func TestActSweep(t *testing.T) {
	x := sweep()
	got := make([]float32, len(x))
	eachISA(t, func(t *testing.T) {
		for _, c := range activations {
			Act(got, x, c.a)
			worst, at := 0.0, float32(0)
			for i, v := range x {
				want := c.f(float64(v))
				e := math.Abs(float64(got[i])-want) / max(math.Abs(want), actFloor)
				if got[i] == float32(want) || math.IsNaN(want) && got[i] != got[i] {
					e = 0
				}
				if e > worst || e != e {
					worst, at = e, v
				}
				if math.IsNaN(e) {
					break
				}
			}
			t.Logf("%s: greatest error %.3g at %v", c.name, worst, at)
			if !(worst <= actBound) {
				t.Errorf("%s: error %.3g at %v", c.name, worst, at)
			}
		}
	})
}

// actBound is the relative error that Act's documentation promises where |result| ≥ actFloor, and
// the error over actFloor below it.
const (
	actBound = 4e-7
	actFloor = 0.0625
	actSlope = 3e-7 // and the absolute error of ActGrad for dy = 1
)

func TestActGradSweep(t *testing.T) {
	x := sweep()
	dy, got := make([]float32, len(x)), make([]float32, len(x))
	for i := range dy {
		dy[i] = 1
	}
	eachISA(t, func(t *testing.T) {
		for _, c := range activations {
			slope := c.slope
			if slope == nil {
				slope = func(x float64) float64 { return numericSlope(c.f, x) }
			}
			ActGrad(got, dy, x, c.a)
			worst, at := 0.0, float32(0)
			for i, v := range x {
				if v != v {
					if c.a != None && c.a != ReLU && got[i] == got[i] {
						t.Errorf("%s: slope at NaN is %v", c.name, got[i])
					}
					continue
				}
				if e := math.Abs(float64(got[i]) - slope(float64(v))); !(e <= worst) {
					worst, at = e, v
				}
			}
			t.Logf("%s: greatest error %.3g at %v", c.name, worst, at)
			if !(worst <= actSlope) {
				t.Errorf("%s: slope is off by %.3g at %v", c.name, worst, at)
			}
		}
	})
}

// numericSlope is f′ by a five-point stencil in float64, to some 1e-11.
func numericSlope(f func(float64) float64, x float64) float64 {
	if x = min(max(x, -40), 40); math.Abs(x) == 40 {
		return float64(1+int(math.Copysign(1, x))) / 2
	}
	const h = 1e-3
	return (8*(f(x+h)-f(x-h)) - (f(x+2*h) - f(x-2*h))) / (12 * h)
}

// A result must depend on its element only, not on where it lies or on how much lies around it.
func TestActPosition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	eachISA(t, func(t *testing.T) {
		for _, c := range activations {
			for _, n := range oddSizes {
				x := filled(n, n%3, func() float32 { return 3 * normal(r) })
				dy := filled(n, n%2, func() float32 { return normal(r) })
				y, dx := newGuarded(n, 1), newGuarded(n, 2)
				Act(y.v, x.v, c.a)
				ActGrad(dx.v, dy.v, x.v, c.a)
				y.check(t, c.name)
				dx.check(t, c.name+" gradient")
				for i := range n {
					var one, grad [1]float32
					Act(one[:], x.v[i:i+1], c.a)
					ActGrad(grad[:], dy.v[i:i+1], x.v[i:i+1], c.a)
					if one[0] != y.v[i] || grad[0] != dx.v[i] {
						t.Fatalf("%s: element %d of %d depends on its place", c.name, i, n)
					}
				}
				ActGrad(dy.v, dy.v, x.v, c.a) // in place
				Act(x.v, x.v, c.a)
				for i := range n {
					if x.v[i] != y.v[i] || dy.v[i] != dx.v[i] {
						t.Fatalf("%s: element %d of %d differs in place", c.name, i, n)
					}
				}
			}
		}
	})
}

// The ends of the line, at every place of a vector and a group.
func TestActEnds(t *testing.T) {
	inf := float32(math.Inf(1))
	eachISA(t, func(t *testing.T) {
		for _, a := range []Activation{GELUTanh, QuickGELU, GELUErf} {
			for _, n := range oddSizes[1:] {
				x, y := newGuarded(n, 1), newGuarded(n, 0)
				for i := range n {
					x.v[i] = []float32{-inf, inf, float32(math.NaN()), -1e30, 1e30, -12.5, 12.5, -13, 13}[i%9]
				}
				Act(y.v, x.v, a)
				y.check(t, "Act")
				for i, v := range x.v {
					switch got := y.v[i]; {
					case v != v && got == got, v == -inf && got != 0, v > 12 && got != v, v < -12 && math.Abs(float64(got)) > 1e-8:
						t.Fatalf("activation %d of %v is %v", a, v, got)
					}
				}
			}
		}
	})
}

func TestActLong(t *testing.T) {
	const n = 5*taskGrain + 7
	r := rand.New(rand.NewPCG(5, 6))
	x := filled(n, 0, func() float32 { return normal(r) })
	want, got := make([]float32, n), newGuarded(n, 3)
	actRow(want, x.v, GELUTanh)
	onWorkers(func() {
		Act(got.v, x.v, GELUTanh)
		got.check(t, "Act")
		for i := range n {
			if got.v[i] != want[i] {
				t.Fatalf("element %d differs", i)
			}
		}
	})
}

func BenchmarkAct(b *testing.B) {
	for _, n := range []int{64, 1200 * 3072} {
		x, y, dy := make([]float32, n), make([]float32, n), make([]float32, n)
		r := rand.New(rand.NewPCG(7, 8))
		for i := range x {
			x[i], dy[i] = 2*normal(r), normal(r)
		}
		for _, c := range activations[1:] {
			b.Run(fmt.Sprintf("%s/n=%d", c.name, n), func(b *testing.B) {
				b.SetBytes(int64(8 * n))
				for b.Loop() {
					Act(y, x, c.a)
				}
			})
			b.Run(fmt.Sprintf("%s-grad/n=%d", c.name, n), func(b *testing.B) {
				b.SetBytes(int64(12 * n))
				for b.Loop() {
					ActGrad(y, dy, x, c.a)
				}
			})
		}
	}
}
