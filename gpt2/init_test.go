package gpt2

import (
	"math"
	"strings"
	"testing"
)

// tiny is a model of odd sizes with the weights of a seed; a large deviation makes its choices distinct.
func tiny(t testing.TB, seed uint64) *Model {
	t.Helper()
	c := defaults()
	c.Vocab, c.Positions, c.Dim, c.Layers, c.Heads, c.InitRange = 101, 60, 24, 2, 3, 0.4
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Params(""); err != nil {
		t.Fatal(err)
	}
	m.Init(seed)
	return m
}

func TestInit(t *testing.T) {
	m := tiny(t, 3)
	params, err := m.Params("")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"wte.weight": 0.4, "h.0.attn.c_attn.weight": 0.4, "h.1.attn.c_proj.weight": 0.2, "h.1.mlp.c_proj.weight": 0.2,
		"h.0.mlp.c_fc.bias": 0, "ln_f.weight": 1, "ln_f.bias": 0,
	} {
		var sum float64
		p := params.ByName(name)
		for _, x := range p.Data {
			sum += float64(x) * float64(x)
		}
		if got := math.Sqrt(sum / float64(len(p.Data))); math.Abs(got-want) > 0.1*want {
			t.Errorf("%s: root of the mean square %g, want about %g", name, got, want)
		}
	}
}

func TestPublished(t *testing.T) {
	for name, want := range map[string]int{"gpt2": 124439808, "gpt2-medium": 354823168, "gpt2-large": 774030080, "gpt2-xl": 1557611200, "distilgpt2": 81912576} {
		c, err := Published(name)
		if err != nil || c.Validate() != nil {
			t.Fatal(name, err, c.Validate())
		}
		d, inner := c.Dim, c.inner()
		block := 4*d + (d+1)*3*d + (d+1)*d + (d+1)*inner + (inner+1)*d
		if got := (c.Vocab+c.Positions)*d + c.Layers*block + 2*d; got != want {
			t.Errorf("%s has %d weights, want %d", name, got, want)
		}
	}
	if _, err := Published("gpt3"); err == nil || !strings.Contains(err.Error(), "gpt2-xl") {
		t.Errorf("gpt3: error %v, want one that lists the models", err)
	}
}
