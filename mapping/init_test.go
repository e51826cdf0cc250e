package mapping

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
)

// TestInitIsPyTorchs holds the numbers training starts from against PyTorch's, parameter by parameter: quantiles of what
// nn.Linear, nn.LayerNorm and randn drew for mappers of these sizes (scripts/fixtures.py init).
func TestInitIsPyTorchs(t *testing.T) {
	var want map[Kind]map[string][]float64
	text, err := os.ReadFile("testdata/init.json")
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{
		{Kind: KindMLP, Feature: 7, Dim: 24, PrefixLength: 3},
		{Kind: KindLinear, Feature: 7, Dim: 24, PrefixLength: 3},
		{Kind: KindTransformer, Feature: 7, Dim: 24, PrefixLength: 5, ClipLength: 3, Layers: 2},
	} {
		m, params := random(t, c, 0)
		if len(params) != len(want[c.Kind]) {
			t.Errorf("%s: %d parameters, PyTorch has %d", c.Kind, len(params), len(want[c.Kind]))
		}
		drawn := map[*nn.Param][]float32{}
		for seed := uint64(1); ; seed++ {
			m.Init(seed)
			more := false
			for _, p := range params {
				if len(drawn[p]) < 100_000 {
					drawn[p], more = append(drawn[p], p.Data...), true
				}
			}
			if !more {
				break
			}
		}
		for _, p := range params {
			name := p.Name[len(Prefix)+1:]
			// 100,000 numbers of each: 0.01 is passed by chance less than once in a million.
			testkit.Quantiles(t, string(c.Kind)+": "+name, drawn[p], want[c.Kind][name], 0.012)
		}
	}
}
