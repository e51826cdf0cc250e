package eval

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

func sequence(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// The interval of a mean is that of the normal distribution its sampling tends to.
func TestBootstrapOfAMean(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x := make([]float64, 2000)
	sum, squares := 0.0, 0.0
	for i := range x {
		x[i] = rng.NormFloat64()
		sum += x[i]
		squares += x[i] * x[i]
	}
	n := float64(len(x))
	mean := sum / n
	deviation := math.Sqrt((squares/n - mean*mean) / n)
	got := Bootstrap(sequence(len(x)), 4000, 1, MeanPool(x))
	if math.Abs(got.Low-(mean-1.96*deviation)) > 0.1*deviation || math.Abs(got.High-(mean+1.96*deviation)) > 0.1*deviation {
		t.Errorf("%+v, want %v ± %v", got, mean, 1.96*deviation)
	}
}

// The draws depend on the seed alone.
func TestBootstrapThreads(t *testing.T) {
	x := []float64{1, 5, 2, 9, 4, 4, 0}
	want := Bootstrap(sequence(7), 333, 42, MeanPool(x))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := Bootstrap(sequence(7), 333, 42, MeanPool(x)); got != want {
		t.Errorf("one processor %+v, several %+v", got, want)
	}
	if got := Bootstrap(sequence(7), 333, 43, MeanPool(x)); got == want {
		t.Error("another seed gives the same draws")
	}
}

func TestPairedBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	a, b, same := make([]float64, 500), make([]float64, 500), make([]float64, 500)
	for i := range a {
		hard := rng.NormFloat64() * 10 // what the two systems share falls out of the difference
		a[i], b[i] = hard+0.3+rng.NormFloat64()*0.1, hard+rng.NormFloat64()*0.1
		same[i] = a[i]
	}
	d := PairedBootstrap(sequence(500), 1000, 1, MeanPool(a), MeanPool(b))
	if math.Abs(d.Value-0.3) > 0.03 || d.Interval.Low < 0.2 || d.P > 0.01 {
		t.Errorf("%+v, want a difference of 0.3 that is sure", d)
	}
	if d := PairedBootstrap(sequence(500), 1000, 1, MeanPool(a), MeanPool(same)); d.Value != 0 || d.P != 1 {
		t.Errorf("equal systems: %+v", d)
	}
	if d := PairedBootstrap(nil, 10, 1, MeanPool(a), MeanPool(b)); !math.IsNaN(d.P) {
		t.Errorf("no images: %+v", d)
	}
}

func TestBLEUPool(t *testing.T) {
	stats := NewCorpus(randomImages(9, 2)).BLEU()
	var sum BLEUStats
	for _, i := range []int{1, 1, 8} {
		sum.Add(stats[i], 1)
	}
	if got, want := BLEUPool(stats, 2)([]int{1, 1, 8}), sum.Score()[1]; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
