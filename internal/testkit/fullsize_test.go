package testkit

import "testing"

// TestFormula checks against the numbers of fullsize/manifest.json.
func TestFormula(t *testing.T) {
	for name, want := range map[string][5]float32{
		"a":        {-0.4905909299850464, -0.9963693618774414, -0.8223844766616821, -0.6241927146911621, -0.6753278970718384},
		"b/weight": {0.539454460144043, -0.70893394947052, 0.5970892906188965, 0.05576300621032715, -0.9207335710525513},
	} {
		var got [5]float32
		if Formula(got[:], name, 1, 0); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
