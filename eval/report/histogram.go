package report

import (
	"math"
	"slices"
)

// The drawing of a histogram, in units of its view box.
const (
	bins       = 30
	barWidth   = 10
	plotHeight = 100
)

// A histogram counts the image scores of a metric.
type histogram struct {
	Name     string
	Low      float64 // where the first bar begins
	High     float64 // where the last ends
	Mean     float64
	MeanX    float64 // where the mean is drawn
	Bars     []bar
	Highest  int // images of the highest bar
	Width    int
	PlotSize int
}

type bar struct {
	X, Y, Height float64
	From, To     float64
	Count        int
}

// newHistogram counts scores, finite ones, in bars of equal width from 0, or the lowest below it, to the highest.
func newHistogram(name string, scores []float64) histogram {
	h := histogram{Name: name, High: 1, Width: bins * barWidth, PlotSize: plotHeight}
	var finite []float64
	for _, v := range scores {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			finite = append(finite, v)
		}
	}
	if len(finite) == 0 {
		return h
	}
	h.Low, h.High = min(0, slices.Min(finite)), slices.Max(finite)
	if h.High <= h.Low {
		h.High = h.Low + 1
	}
	var counts [bins]int
	sum := 0.0
	for _, v := range finite {
		counts[min(bins-1, int((v-h.Low)/(h.High-h.Low)*bins))]++
		sum += v
	}
	h.Mean = sum / float64(len(finite))
	h.MeanX = (h.Mean - h.Low) / (h.High - h.Low) * float64(h.Width)
	h.Highest = slices.Max(counts[:])
	for i, n := range counts {
		height := float64(n) / float64(h.Highest) * plotHeight
		step := (h.High - h.Low) / bins
		h.Bars = append(h.Bars, bar{float64(i * barWidth), plotHeight - height, height, h.Low + float64(i)*step, h.Low + float64(i+1)*step, n})
	}
	return h
}
