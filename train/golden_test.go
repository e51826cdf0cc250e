package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// golden is one of the original loop's runs: five updates in float64, dropout off.
type golden struct {
	LR        float64            `json:"lr"`
	Warmup    int64              `json:"warmup"`
	Total     int64              `json:"total"`
	Losses    []float64          `json:"losses"`
	After     float64            `json:"loss_after"`
	LRs       []float64          `json:"lrs"`
	Trainable []string           `json:"trainable"`
	Norms     map[string]float64 `json:"grad_norms"`
}

var goldenRuns = []struct {
	name, mapper string
	frozen       bool
	grads        []string
}{
	{"mlp_full", "mlp_weights.pt", false, []string{"clip_project.model.2.bias", "gpt.transformer.wte.weight"}},
	{"mlp_prefix_only", "mlp_weights.pt", true, []string{"clip_project.model.0.weight", "clip_project.model.2.bias"}},
	{"transformer_prefix_only", "transformer_weights.pt", true, []string{"clip_project.linear.bias", "clip_project.prefix_const"}},
}

// goldenModel loads a mapper and the GPT-2 behind it.
func goldenModel(t *testing.T, file string) *Model {
	t.Helper()
	dir := testkit.Golden(t, "models/weights")
	lm, err := gpt2.Load(filepath.Join(dir, "gpt2"), nil)
	if err != nil {
		t.Fatal(err)
	}
	mapper, config, err := mapping.Load(filepath.Join(dir, "clipcap", file), lm.Config.Dim)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewModel(mapper, config, lm)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// goldenCaptions are the run's batch: the reference pads with 0, captions here are not padded.
func goldenCaptions(t *testing.T) *data.Captions {
	t.Helper()
	dir := testkit.Golden(t, "models/weights/train")
	s, err := weights.Open(filepath.Join(dir, "in_tokens.npy"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x := s.Tensors()[0]
	ids := make([]int64, x.Len())
	if err := x.ReadInt64(ids); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for i := range x.Shape[0] {
		row := ids[i*x.Shape[1]:][:x.Shape[1]]
		for row[len(row)-1] == 0 {
			row = row[:len(row)-1]
		}
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "{\"row\":%d,\"tokens\":%s}\n", i, text)
	}
	return captions(t, filepath.Join(dir, "in_features.npy"), lines.String(), testkit.GoldenModels(t).Vocab)
}

// captions joins JSON lines of tokens to a file of features.
func captions(t testing.TB, features, lines string, vocab int) *data.Captions {
	t.Helper()
	f, err := data.OpenFeatures(features)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	path := filepath.Join(t.TempDir(), "captions.jsonl")
	if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := data.Load(f, data.Config{Captions: path, Vocab: vocab})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func readGolden(t *testing.T, name string) golden {
	t.Helper()
	text, err := os.ReadFile(testkit.Golden(t, "models/weights/train/"+name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGoldenRuns holds losses, learning rates, gradients and updates to the original's loop, at every precision, with captions alone and
// grouped by image (where every image has one caption, and nothing may change).
func TestGoldenRuns(t *testing.T) {
	goldenRunsOn(t, false, func(p nn.Precision) nn.Backend { return nn.NewCPU(p) })
}

// TestGPUGoldenRuns is the same on a GPU; on the simulated one the first steps of a run in each precision.
func TestGPUGoldenRuns(t *testing.T) {
	goldenRunsOn(t, testkit.Simulated(), func(p nn.Precision) nn.Backend { return testkit.GPU(t, p) })
}

func goldenRunsOn(t *testing.T, short bool, backend func(nn.Precision) nn.Backend) {
	for _, c := range []struct {
		precision  string
		group      bool
		loss, grad float64 // of the value; of the largest gradient
	}{
		// Three products of halves, which high is with AMX or CLIPCAP_HIGH=split, give gradients within 6e-5 in any of the kernels.
		{"float32", false, 4e-6, 1e-5}, {"float32", true, 4e-6, 1e-5}, {"high", false, 6e-6, 1e-4}, {"bfloat16", false, 2e-2, 0.1},
	} {
		for i, run := range goldenRuns {
			if short && (c.group || (i > 0) != (c.precision != "float32") || i == 2) {
				continue
			}
			t.Run(fmt.Sprintf("%s %s group=%v", run.name, c.precision, c.group), func(t *testing.T) {
				ref := readGolden(t, run.name)
				m := goldenModel(t, run.mapper)
				p, err := nn.ParsePrecision(c.precision)
				if err != nil {
					t.Fatal(err)
				}
				s := Defaults()
				s.BatchSize, s.Steps, s.LR, s.Warmup, s.Dropout, s.Sequential, s.FrozenLM, s.Group = 4, ref.Total, ref.LR, ref.Warmup, 0, true, run.frozen, c.group
				s.GradClip = 1e30 // clips nothing, but keeps the gradients for the check
				tr, err := New(backend(p), m, goldenCaptions(t), s)
				if err != nil {
					t.Fatal(err)
				}
				defer tr.Close()
				if got := len(m.Params().Trainable()); got != len(ref.Trainable) {
					t.Errorf("%d parameters are trained, want %d", got, len(ref.Trainable))
				}
				losses := append(ref.Losses, ref.After)
				if short {
					losses = losses[:2]
				}
				for i, want := range losses {
					u, err := tr.Step(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					if d := math.Abs(u.Loss/want - 1); d > c.loss {
						t.Errorf("step %d: loss %v, want %v: off by %.1e of it", i+1, u.Loss, want, d)
					}
					if i < len(ref.LRs) && math.Abs(u.LR-ref.LRs[i]) > 1e-12 {
						t.Errorf("step %d: learning rate %v, want %v", i+1, u.LR, ref.LRs[i])
					}
					if i == 0 {
						checkGradients(t, tr, ref, run.name, run.grads, c.grad)
					}
				}
			})
		}
	}
}

func checkGradients(t *testing.T, tr *Trainer, ref golden, name string, files []string, tolerance float64) {
	t.Helper()
	for i, p := range tr.opt.Params() {
		got, err := tr.net.machine.Value(tr.net.grads.Of[i]).Floats()
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for _, x := range got {
			sum += x * x
		}
		if want := ref.Norms[p.Name]; math.Abs(math.Sqrt(sum)-want) > tolerance*want+1e-9 {
			t.Errorf("gradient of %s has length %v, want %v", p.Name, math.Sqrt(sum), want)
		}
		for _, f := range files {
			if f != p.Name {
				continue
			}
			s, err := weights.Open(testkit.Golden(t, "models/weights/train/"+name+"_grad_"+f+".npy"))
			if err != nil {
				t.Fatal(err)
			}
			want, err := s.Tensors()[0].Float32s()
			s.Close()
			if err != nil || len(want) != len(got) {
				t.Fatalf("%s: %d numbers, want %d, %v", f, len(got), len(want), err)
			}
			var most, worst float64
			for j := range want {
				most = max(most, math.Abs(float64(want[j])))
				worst = max(worst, math.Abs(float64(want[j])-got[j]))
			}
			if worst > tolerance*most {
				t.Errorf("gradient of %s is off by %.1e of its largest", p.Name, worst/most)
			}
		}
	}
}
