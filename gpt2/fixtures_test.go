package gpt2

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
)

// The fixtures here were made with PyTorch and Hugging Face transformers by scripts/fixtures.py.

func fixture(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestInitIsTransformers holds the numbers a model starts from against those of transformers' GPT-2 of the same size.
func TestInitIsTransformers(t *testing.T) {
	var want map[string][]float64
	fixture(t, "init.json", &want)
	c := defaults()
	c.Vocab, c.Positions, c.Dim, c.Layers, c.Heads = 101, 60, 24, 3, 3
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	params, err := m.Params("")
	if err != nil {
		t.Fatal(err)
	}
	if len(params) != len(want) {
		t.Errorf("%d parameters, transformers has %d", len(params), len(want))
	}
	drawn := map[*nn.Param][]float32{}
	for seed, more := uint64(1), true; more; seed++ {
		m.Init(seed)
		more = false
		for _, p := range params {
			if len(drawn[p]) < 100_000 {
				drawn[p], more = append(drawn[p], p.Data...), true
			}
		}
	}
	for _, p := range params {
		testkit.Quantiles(t, p.Name, drawn[p], want[p.Name], 0.012)
	}
}

// TestSamplingIsTransformers compares the probabilities words are drawn with to those that transformers' temperature, top-k
// and top-p leave. Draws are made with evenly spaced numbers in place of random ones, so that shares are exact to a draw.
func TestSamplingIsTransformers(t *testing.T) {
	var want struct {
		Logits []float64
		Cases  []struct {
			Temperature float64
			TopK        int     `json:"top_k"`
			TopP        float64 `json:"top_p"`
			P           []float64
		}
	}
	fixture(t, "sampling.json", &want)
	if len(want.Cases) == 0 {
		t.Fatal("no cases")
	}
	const draws = 20000
	for _, c := range want.Cases {
		o := DefaultOptions()
		o.Mode, o.Temperature, o.TopK, o.TopP = Sample, c.Temperature, c.TopK, c.TopP
		var d dice
		got := make([]float64, len(want.Logits))
		for i := range draws {
			token, _ := d.throw(want.Logits, &o, (float64(i)+0.5)/draws)
			got[token] += 1. / draws
		}
		for token, p := range c.P {
			if math.Abs(got[token]-p) > 1.01/draws || p == 0 && got[token] > 0 {
				t.Errorf("temperature %g, top-k %d, top-p %g: token %d has probability %g, want %g", c.Temperature, c.TopK, c.TopP, token, got[token], p)
			}
		}
	}
}

// TestPublishedSizes runs whole networks of the published sizes with weights of a formula against transformers' GPT-2. It is
// run for the sizes that CLIPCAP_SIZES lists, by commas: distilgpt2, gpt2-medium, gpt2-large, gpt2-xl (11 GB).
func TestPublishedSizes(t *testing.T) {
	sizes := strings.FieldsFunc(os.Getenv("CLIPCAP_SIZES"), func(r rune) bool { return r == ',' })
	if len(sizes) == 0 {
		t.Skip("CLIPCAP_SIZES names no size")
	}
	var want map[string]struct {
		IDs                  []int32
		Error                float64
		Hidden, Logits, Loss []float32
	}
	fixture(t, "sizes.json", &want)
	for _, name := range sizes {
		w, ok := want[name]
		if !ok {
			t.Errorf("no fixture for %q", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			c, err := Published(name)
			if err != nil {
				t.Fatal(err)
			}
			m, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			params, err := m.Params("")
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range params {
				scale, shift := float32(0.03), float32(0)
				switch {
				case strings.HasSuffix(p.Name, "bias"):
					scale = 0.02
				case strings.Contains(p.Name, "ln_"):
					scale, shift = 0.1, 1
				}
				testkit.Formula(p.Data, name+"/"+p.Name, scale, shift)
			}
			got := forward(t, m, nn.NewCPU(nn.Float32), w.IDs)
			rows := len(w.IDs)
			var hidden, logits []float32
			for i := range c.Layers + 1 {
				last := got.hidden[((i+1)*rows-1)*c.Dim:][:c.Dim]
				for d := 0; d < c.Dim; d += c.Dim / 16 {
					hidden = append(hidden, last[d])
				}
			}
			for at := 0; at < c.Vocab; at += 499 {
				logits = append(logits, got.logits[(rows-1)*c.Vocab+at])
			}
			// PyTorch's own float32 is Error away from its float64 where that was run; else both sides are float32.
			gate := max(4*w.Error, 4e-5*float64(slices.Max(w.Logits)))
			testkit.Close(t, "hidden states", hidden, w.Hidden, gate)
			testkit.Close(t, "logits", logits, w.Logits, gate)
			testkit.Close(t, "losses", nll(got.logits, w.IDs), w.Loss, gate)
		})
	}
}
