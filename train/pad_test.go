package train

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// Batches that are filled up train as those that are not: the losses, and what is learned.
func TestPaddingChangesNothing(t *testing.T) {
	defer func(was func(nn.Backend) bool) { pads = was }(pads)
	for _, c := range []struct {
		group, frozen bool
		dropout       float64
		kind          mapping.Kind
	}{{false, false, 0, mapping.KindMLP}, {true, false, 0.2, mapping.KindMLP}, {true, true, 0, mapping.KindTransformer}, {false, false, 0.1, mapping.KindTransformer}} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			var losses [2][]float64
			var learned [2][][]float32
			for i := range losses {
				pads = func(nn.Backend) bool { return i == 1 }
				s := settings(7, 9)
				s.Group, s.FrozenLM, s.Dropout, s.KeepLast = c.group, c.frozen, c.dropout, true
				tr := trainer(t, tiny(t, c.kind), tinyCaptions(t, 43), s)
				for range 9 {
					u, err := tr.Step(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					losses[i] = append(losses[i], u.Loss)
				}
				if err := tr.opt.Fetch(); err != nil {
					t.Fatal(err)
				}
				for _, p := range tr.opt.Params() {
					learned[i] = append(learned[i], p.Data)
				}
			}
			for i, want := range losses[0] {
				if d := math.Abs(losses[1][i] - want); !(d <= 1e-5*want) {
					t.Errorf("step %d: loss %v, want %v", i+1, losses[1][i], want)
				}
			}
			for i := range learned[0] {
				for j, want := range learned[0][i] {
					if d := math.Abs(float64(learned[1][i][j] - want)); !(d <= 1e-3) {
						t.Fatalf("parameter %d differs by %g at %d", i, d, j)
					}
				}
			}
		})
	}
}

// On a GPU batches of captions of any length come down to a few captured graphs.
func TestGPUReplaysBatchesOfAnyLength(t *testing.T) {
	for _, group := range []bool{false, true} {
		rec := &gpu.Recorder{}
		s := settings(20, 60)
		s.Group = group
		tr, err := New(backend(t, rec), tiny(t, mapping.KindMLP), tinyCaptions(t, 600), s)
		if err != nil {
			t.Fatal(err)
		}
		sizes := map[int]bool{}
		for range 60 {
			if _, err := tr.Step(context.Background()); err != nil {
				t.Fatal(err)
			}
			sizes[len(tr.batches[0].IDs)] = true
		}
		if len(sizes) < 15 {
			t.Fatalf("group=%v: %d sizes of batches are no test", group, len(sizes))
		}
		if n := rec.Count("Replay"); n < 30 {
			t.Errorf("group=%v: %d of 60 steps of %d sizes were replayed, %d graphs", group, n, len(sizes), rec.Count("Capture"))
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
}
