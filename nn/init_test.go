package nn

import (
	"math"
	"slices"
	"testing"
)

// moments are the mean, the standard deviation and the largest size of numbers.
func moments(v []float32) (mean, std, most float64) {
	for _, x := range v {
		mean += float64(x) / float64(len(v))
		most = max(most, math.Abs(float64(x)))
	}
	for _, x := range v {
		std += (float64(x) - mean) * (float64(x) - mean) / float64(len(v))
	}
	return mean, math.Sqrt(std), most
}

func TestInit(t *testing.T) {
	p := NewParam(100, 1000)
	p.Name = "p"
	before := p.Version()
	p.Normal(1, 0.02)
	mean, std, most := moments(p.Data)
	if math.Abs(mean) > 3e-4 || math.Abs(std-0.02) > 3e-4 || most < 0.06 || p.Version() == before {
		t.Errorf("Normal(0.02): mean %g, deviation %g, largest %g, version %d", mean, std, most, p.Version())
	}
	q := NewParam(100, 1000)
	q.Name = "q"
	q.Normal(1, 0.02)
	if slices.Equal(p.Data, q.Data) {
		t.Error("two parameters start with the same numbers")
	}
	q.Name = "p"
	q.Normal(1, 0.02)
	if !slices.Equal(p.Data, q.Data) {
		t.Error("the same seed and name give other numbers")
	}
	q.Normal(2, 0.02)
	if slices.Equal(p.Data, q.Data) {
		t.Error("another seed gives the same numbers")
	}

	for _, l := range []Linear{NewLinear(400, 300, true), NewConv1D(400, 300)} {
		l.Weight.Name, l.Bias.Name = "w", "b"
		l.Init(7)
		for _, p := range []*Param{l.Weight, l.Bias} {
			mean, std, most := moments(p.Data)
			if bound := 1. / 20; most > bound || most < 0.9*bound || math.Abs(std-bound/math.Sqrt(3)) > bound/10 || math.Abs(mean) > bound/8 {
				t.Errorf("Linear.Init %s: mean %g, deviation %g, largest %g, want a uniform distribution within %g", p.Name, mean, std, most, bound)
			}
		}
	}
	l := NewLinear(4, 3, false)
	l.Weight.Name = "w"
	l.Init(7) // no bias
}
