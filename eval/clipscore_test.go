package eval

import (
	"math"
	"strings"
	"testing"
)

func TestCLIPScore(t *testing.T) {
	images := [][]float32{{3, 4}, {1, 0}, {1, 0}}
	candidates := [][]float32{{4, 3}, {-1, 0}, {0.6, 0.8}}
	own, err := CLIPScore(images, candidates)
	if err != nil {
		t.Fatal(err)
	}
	with, err := RefCLIPScore(own, candidates, [][][]float32{{{4, 3}, {0, 1}}, {{-1, 0}}, {{-0.6, -0.8}}})
	if err != nil {
		t.Fatal(err)
	}
	c := 2.5 * 0.96
	for i, want := range [][2]float64{{c, 2 * c / (c + 1)}, {0, 0}, {1.5, 0}} {
		if math.Abs(own[i]-want[0]) > 1e-6 || math.Abs(with[i]-want[1]) > 1e-6 {
			t.Errorf("image %d: %v and %v, want %v", i, own[i], with[i], want)
		}
	}
}

func TestCLIPScoreErrors(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct{ a, b [][]float32 }{
		{[][]float32{{1}}, nil}, {[][]float32{{1}}, [][]float32{{1, 2}}}, {[][]float32{{}}, [][]float32{{}}},
		{[][]float32{{0, 0}}, [][]float32{{1, 2}}}, {[][]float32{{nan}}, [][]float32{{1}}},
	} {
		if _, err := CLIPScore(c.a, c.b); err == nil || !strings.HasPrefix(err.Error(), "clipscore:") {
			t.Errorf("%v, %v: %v", c.a, c.b, err)
		}
	}
	if _, err := RefCLIPScore([]float64{1}, [][]float32{{1}}, [][][]float32{{{1, 2}}}); err == nil {
		t.Error("features of other widths: no error")
	}
	if _, err := RefCLIPScore([]float64{1}, nil, nil); err == nil {
		t.Error("no features: no error")
	}
}
