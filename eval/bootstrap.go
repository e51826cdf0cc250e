package eval

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/clipcap-go/clipcap/eval/internal/parallel"
)

// A Pool is a corpus score of the images whose numbers are picked; a number may be picked several times.
type Pool func(picks []int) float64

// MeanPool is the corpus score of metrics whose corpus score is the mean of the images'.
func MeanPool(images []float64) Pool {
	return func(picks []int) float64 {
		sum := 0.0
		for _, i := range picks {
			sum += images[i]
		}
		return sum / float64(len(picks))
	}
}

// BLEUPool is the corpus score of BLEU-n (n from 1 to 4), that of the summed counts.
func BLEUPool(stats []BLEUStats, n int) Pool {
	return func(picks []int) float64 {
		var sum BLEUStats
		for _, i := range picks {
			sum.Add(stats[i], 1)
		}
		return sum.Score()[n-1]
	}
}

// An Interval holds a score in 95 of 100 resamples of the images.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Bootstrap returns the 95 % percentile interval of score over rounds resamples of images, the numbers that score takes, drawn with replacement (Efron 1979).
// The draws depend on seed alone, so the same images give the same interval anywhere. CIDEr's n-gram weights are not drawn anew: they
// are taken as given by the run. With no images or rounds both ends are NaN.
func Bootstrap(images []int, rounds int, seed uint64, score Pool) Interval {
	if len(images) == 0 || rounds <= 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	return interval(resample(images, rounds, seed, score))
}

// A Difference compares two systems on the same images.
type Difference struct {
	Value    float64  `json:"difference"` // the first system's score minus the second's
	Interval Interval `json:"interval"`
	// P is the two-sided p-value: how often the resampled difference has not the sign seen, doubled, at most 1.
	P float64 `json:"p"`
}

// PairedBootstrap says whether two systems differ (Koehn 2004): both are scored on the same resamples of images. With no images or rounds all is
// NaN.
func PairedBootstrap(images []int, rounds int, seed uint64, first, second Pool) Difference {
	difference := func(picks []int) float64 { return first(picks) - second(picks) }
	if len(images) == 0 || rounds <= 0 {
		return Difference{math.NaN(), Interval{math.NaN(), math.NaN()}, math.NaN()}
	}
	d := Difference{Value: difference(images)}
	draws := resample(images, rounds, seed, difference)
	var below, above int
	for _, v := range draws {
		if v <= 0 {
			below++
		}
		if v >= 0 {
			above++
		}
	}
	d.P = min(1, 2*float64(1+min(below, above))/float64(rounds+1))
	d.Interval = interval(draws)
	return d
}

// resample scores rounds draws; draw k's numbers come from the k-th stream of seed, whichever goroutine it falls to.
func resample(images []int, rounds int, seed uint64, score Pool) []float64 {
	draws := make([]float64, rounds)
	parallel.Do(rounds, func(next func() (int, int)) {
		picks := make([]int, len(images))
		for from, to := next(); from < to; from, to = next() {
			for k := from; k < to; k++ {
				rng := rand.New(rand.NewPCG(seed, uint64(k)))
				for i := range picks {
					picks[i] = images[rng.IntN(len(images))]
				}
				draws[k] = score(picks)
			}
		}
	})
	return draws
}

// interval sorts draws and returns their 2.5 % and 97.5 % quantiles, linear between neighbours.
func interval(draws []float64) Interval {
	slices.Sort(draws)
	quantile := func(q float64) float64 {
		at := q * float64(len(draws)-1)
		i := int(at)
		if i+1 >= len(draws) {
			return draws[len(draws)-1]
		}
		return draws[i] + (at-float64(i))*(draws[i+1]-draws[i])
	}
	return Interval{quantile(0.025), quantile(0.975)}
}
