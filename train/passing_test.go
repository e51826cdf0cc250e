package train

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// Updating each parameter as its gradient comes gives bit for bit what updating all of them at the end gives, and who looks at the
// parameters in between sees those of the last update.
func TestUpdatesInPassingAreExact(t *testing.T) {
	for _, c := range []struct {
		kind      mapping.Kind
		frozen    bool
		lora      int
		freeze    []string
		precision string
	}{
		{mapping.KindMLP, false, 0, nil, "float32"}, {mapping.KindMLP, false, 0, nil, "bfloat16"}, {mapping.KindTransformer, true, 0, nil, "float32"},
		{mapping.KindTransformer, false, 0, []string{"gpt.transformer.h.0"}, "float32"}, {mapping.KindLinear, false, 2, nil, "float32"},
		{mapping.KindTransformer, true, 0, nil, "bfloat16"},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			data := tinyCaptions(t, 43)
			var after [2][][]float32
			var seen [2][]float64
			for i, clip := range []float64{0, 1e30} { // a length no gradient reaches, but measuring it needs all of them
				s := settings(10, 6)
				s.FrozenLM, s.LoRA, s.Freeze, s.Precision, s.GradClip, s.Dropout, s.WeightDecay = c.frozen, c.lora, c.freeze, c.precision, clip, 0.1, 0.01
				m := tiny(t, c.kind)
				tr := trainer(t, m, data, s)
				e, err := NewEvaluator(tr.backend, m, data, s)
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				for range 6 {
					seen[i] = append(seen[i], losses(t, tr, 1)...)
					loss, err := e.Loss(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					seen[i] = append(seen[i], loss)
				}
				for _, p := range m.Params() {
					after[i] = append(after[i], p.Data)
				}
			}
			if !slices.Equal(seen[0], seen[1]) || seen[0][1] == seen[0][3] {
				t.Errorf("losses %v\nwant %v", seen[0], seen[1])
			}
			for j, p := range after[0] {
				if !slices.Equal(p, after[1][j]) {
					t.Errorf("parameter %d differs", j)
				}
			}
		})
	}
}

// An update that is stopped in time changes nothing.
func TestStoppedUpdate(t *testing.T) {
	m := tiny(t, mapping.KindMLP)
	tr := trainer(t, m, tinyCaptions(t, 20), settings(10, 8))
	losses(t, tr, 1)
	var before [][]float32
	for _, p := range m.Params() {
		before = append(before, slices.Clone(p.Data))
	}
	ctx, stop := context.WithCancel(context.Background())
	err := tr.opt.Run(ctx, 0.1, func() error { stop(); return nil })
	if err == nil || tr.opt.Steps != 1 {
		t.Errorf("stopped with %v after %d updates", err, tr.opt.Steps)
	}
	for i, p := range m.Params() {
		if !slices.Equal(p.Data, before[i]) {
			t.Errorf("%s changed", p.Name)
		}
	}
	if err := tr.net.machine.Run(context.Background()); err == nil {
		t.Error("a machine whose gradients pass ran without an optimizer")
	}
	if _, err := nn.NewAdamW(tr.net.machine, m.Params().Trainable()[1:], tr.net.grads.Of[1:]); err == nil {
		t.Error("an optimizer of some of the parameters was made")
	}
}
