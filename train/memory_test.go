package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// TestMemory holds what --dry-run tells against the sums of what a run has after some steps: numbers on the host, moments, the
// results of a step, and what the backend holds.
func TestMemory(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // each more keeps some small buffers, which count beside a model as small as this one
	const vocab = 8000
	lines := new(strings.Builder)
	r := rand.New(rand.NewPCG(3, 1))
	for i := range 300 {
		tokens := make([]string, 8+r.IntN(8))
		for j := range tokens {
			tokens[j] = fmt.Sprint(1 + r.IntN(vocab-1))
		}
		fmt.Fprintf(lines, "{\"row\":%d,\"tokens\":[%s]}\n", i/5, strings.Join(tokens, ","))
	}
	captions := captions(t, features(t, 60, 32), lines.String(), vocab)
	for _, frozen := range []bool{false, true} {
		for _, precision := range []nn.Precision{nn.Float32, nn.BFloat16} {
			for _, batch := range []int{8, 40} {
				for _, group := range []bool{false, true} {
					t.Run(fmt.Sprintf("frozen=%v/%v/b%d/group=%v", frozen, precision, batch, group), func(t *testing.T) {
						s := settings(batch, 2)
						s.FrozenLM, s.Precision, s.Group = frozen, precision.String(), group
						checkMemory(t, captions, s, precision)
					})
				}
			}
		}
	}
}

func checkMemory(t *testing.T, captions *data.Captions, s Settings, precision nn.Precision) {
	kind := mapping.KindMLP
	c := mapping.Config{Feature: 32, Dim: 128, PrefixLength: 10}
	if s.FrozenLM {
		kind, c.ClipLength, c.Layers = mapping.KindTransformer, 10, 2
	}
	c.Kind = kind
	mapper, err := mapping.New(c)
	if err != nil {
		t.Fatal(err)
	}
	lm, err := gpt2.New(gpt2.Config{Vocab: 8000, Positions: 64, Dim: 128, Layers: 3, Heads: 2, Eps: 1e-5, InitRange: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewModel(mapper, c, lm)
	if err != nil {
		t.Fatal(err)
	}
	be := nn.NewCPU(precision)
	planned, err := New(be, m, captions, s) // as --dry-run does it
	if err != nil {
		t.Fatal(err)
	}
	told := planned.needs()
	planned.Close()
	if s.FrozenLM {
		m.HandOver(be)
	}
	be.Release()
	tr, err := New(be, m, captions, s)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	losses(t, tr, 2)
	has := int64(8*tr.opt.Params().Count() + 4*tr.Plan().Arena + be.HeldBytes())
	for _, p := range m.Params() {
		has += int64(4 * len(p.Data))
	}
	// Beside a model as small as this one, buffers count that do not beside a large one: 1 MB of them may be told wrong.
	if off := math.Abs(float64(told - has)); off > 0.05*float64(has)+1e6 {
		t.Errorf("told %.1f MB, has %.1f, of which the backend holds %.1f", float64(told)/1e6, float64(has)/1e6, float64(be.HeldBytes())/1e6)
	}
	if again := tr.needs(); math.Abs(float64(again)/float64(told)-1) > 0.01 {
		t.Errorf("told %d before the language model is handed over, %d after", told, again)
	}
}
