package gpt2

import (
	"context"
	"encoding/json"
	"iter"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
)

// reference is what the original's greedy and beam search wrote.
type reference struct {
	Stop     int32 `json:"stop_token"`
	Most     int   `json:"entry_length"`
	Captions []struct {
		Greedy []int32   `json:"greedy"`
		Beam   [][]int32 `json:"beam5"`
		Scores []float64 `json:"beam5_scores"`
	} `json:"captions"`
}

func readJSON(t *testing.T, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(testkit.Golden(t, name))
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rowsOf are prompts that are the rows of an array of prefixes.
func rowsOf(prefixes []float32, size int) iter.Seq2[Prompt, error] {
	return func(yield func(Prompt, error) bool) {
		for p := range slices.Chunk(prefixes, size) {
			if !yield(Prompt{Prefix: p}, nil) {
				return
			}
		}
	}
}

// write runs a new decoder over prompts.
func write(t *testing.T, m *Model, be nn.Backend, o Options, longest int, prompts iter.Seq2[Prompt, error]) [][]Caption {
	t.Helper()
	if _, err := m.Params(""); err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(m, be, o, longest)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all [][]Caption
	for captions, err := range d.Decode(context.Background(), prompts) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, captions)
	}
	return all
}

func sameCaptions(t *testing.T, what string, got []Caption, tokens [][]int32, scores []float64) {
	t.Helper()
	if len(got) != len(tokens) {
		t.Fatalf("%s: %d captions, want %d", what, len(got), len(tokens))
	}
	for i, c := range got {
		if !slices.Equal(c.Tokens, tokens[i]) {
			t.Errorf("%s, caption %d: %v, want %v", what, i, c.Tokens, tokens[i])
		}
		if scores != nil && !(math.Abs(c.Score-scores[i]) < 2e-5) {
			t.Errorf("%s, caption %d: score %g, want %g", what, i, c.Score, scores[i])
		}
	}
}

func TestGoldenCaptions(t *testing.T) { goldenCaptions(t, nn.NewCPU(nn.Float32), 100, 1, 4) }

func TestGPUGoldenCaptions(t *testing.T) {
	if testkit.Simulated() {
		goldenCaptions(t, testkit.GPU(t, nn.Float32), 1, 1)
		return
	}
	goldenCaptions(t, testkit.GPU(t, nn.Float32), 100, 1, 4)
}

// goldenCaptions checks so many captions of each mapper, beam search and greedy, in batches of these sizes.
func goldenCaptions(t *testing.T, be nn.Backend, most int, batches ...int) {
	const dir = "models/weights/clipcap/"
	config, err := ConfigBeside(testkit.Golden(t, small))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mlp", "linear", "transformer"} {
		var want reference
		readJSON(t, dir+"out_"+name+"_captions.json", &want)
		prefixes, shape := array(t, dir+"out_"+name+"_prefix_f32.npy")
		size := shape[1] * shape[2]
		prefixes = prefixes[:min(len(prefixes), most*size)]
		m, err := Load(testkit.Golden(t, dir+name+"_weights.pt"), config)
		if err != nil {
			t.Fatal(err)
		}
		for _, batch := range batches {
			o := DefaultOptions()
			o.MaxTokens, o.Stop, o.N, o.Batch = want.Most, want.Stop, 5, batch
			for i, got := range write(t, m, be, o, shape[1], rowsOf(prefixes, size)) {
				sameCaptions(t, name+" beam search", got, want.Captions[i].Beam, want.Captions[i].Scores)
			}
			o.Mode, o.N = Greedy, 1
			for i, got := range write(t, m, be, o, shape[1], rowsOf(prefixes, size)) {
				sameCaptions(t, name+" greedy", got, [][]int32{want.Captions[i].Greedy}, nil)
			}
		}
	}
}

func TestGoldenFullSizeCaptions(t *testing.T) { goldenFullSizeCaptions(t, nn.NewCPU(nn.Float32)) }

func TestGPUGoldenFullSizeCaptions(t *testing.T) {
	testkit.NeedsGPU(t)
	goldenFullSizeCaptions(t, testkit.GPU(t, nn.Float32))
}

func goldenFullSizeCaptions(t *testing.T, be nn.Backend) {
	m := fullSize(t)
	var want struct {
		Most  int   `json:"entry_length"`
		Stop  int32 `json:"stop_token"`
		Cases []struct {
			Prefix string    `json:"prefix"`
			Greedy []int32   `json:"greedy"`
			Beam   [][]int32 `json:"beam5"`
			Scores []float64 `json:"beam5_scores"`
		} `json:"cases"`
	}
	readJSON(t, "models/fullsize/gpt2_captions.json", &want)
	for _, c := range want.Cases {
		prefixes, shape := array(t, "models/fullsize/"+c.Prefix+"_f32.npy")
		o := DefaultOptions()
		o.MaxTokens, o.Stop, o.N, o.Batch = want.Most, want.Stop, 5, 1
		one := prefixes[:shape[1]*shape[2]]
		sameCaptions(t, c.Prefix+" beam search", write(t, m, be, o, shape[1], rowsOf(one, len(one)))[0], c.Beam, c.Scores)
		o.Mode, o.N = Greedy, 1
		sameCaptions(t, c.Prefix+" greedy", write(t, m, be, o, shape[1], rowsOf(one, len(one)))[0], [][]int32{c.Greedy}, nil)
	}
}
