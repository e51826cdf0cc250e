package testkit

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// failures counts what a check finds wrong.
type failures struct {
	testing.TB
	n int
}

func (f *failures) Helper()               {}
func (f *failures) Errorf(string, ...any) { f.n++ }

func TestQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	even := make([]float64, 101)
	for i := range even {
		even[i] = float64(i) / 100
	}
	for name, c := range map[string]struct {
		draw  func() float64
		want  []float64
		wrong int
	}{
		"the same":       {r.Float64, even, 0},
		"a little wider": {func() float64 { return 1.03 * r.Float64() }, even, 1},
		"shifted":        {func() float64 { return r.Float64() + 0.02 }, even, 1},
		"constant":       {func() float64 { return 1 }, []float64{1, 1, 1}, 0},
		"not constant":   {r.Float64, []float64{1, 1, 1}, 1},
	} {
		sample := make([]float32, 50000)
		for i := range sample {
			sample[i] = float32(c.draw())
		}
		f := &failures{TB: t}
		if Quantiles(f, fmt.Sprint(name), sample, c.want, 0.01); f.n != c.wrong {
			t.Errorf("%s: %d complaints, want %d", name, f.n, c.wrong)
		}
	}
}
