package nn

import (
	"maps"
	"math"
	"strings"
	"testing"
)

// What a training step in bfloat16 keeps rounded on the CPU: the queries, keys and values of every layer and the value before its
// activation, in less memory, with loss and gradients close to the reference's. Few rows are kept as numbers.
func TestCPUKeepsRounded(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		up := "Linear+gelu-tanh·Linear+residual"
		for images, want := range map[int]map[string]int{2: {}, 8: {"Linear": 2, up: 2}} {
			cfg := stackConfig{dim: 24, heads: 3, layers: 2, vocab: 301, prefix: 3, feature: 8, images: images, tokens: 9}
			s := newStack(t, cfg)
			if frozen {
				for _, p := range s.params {
					p.Frozen = !strings.HasPrefix(p.Name, "clip_project")
				}
			}
			run := func(be Backend) (loss float64, ds [][]float64, m *Machine) {
				b, m, grads := stackMachine(t, be, s)
				b.fill(t, cfg, 2, []int{9, 1, 0, 5, 7, 9, 8}[:min(images, 7)]...)
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				for _, n := range grads.Of {
					ds = append(ds, floats(t, m, n))
				}
				return floats(t, m, b.loss)[0], ds, m
			}
			wantLoss, wants, _ := run(NewReference())
			_, _, plain := run(NewCPU(Float32))
			loss, ds, m := run(NewCPU(BFloat16))
			made := map[string]int{}
			for i := range m.steps {
				for _, v := range m.steps[i].out {
					if v != nil && v.mem.Form != Numbers {
						made[m.steps[i].op.name]++
					}
				}
			}
			if !maps.Equal(made, want) {
				t.Errorf("frozen %v, %d images: rounded are %v, want %v", frozen, images, made, want)
			}
			if math.Abs(loss-wantLoss) > 1e-2*wantLoss {
				t.Errorf("frozen %v, %d images: loss %g, want %g", frozen, images, loss, wantLoss)
			}
			if len(want) > 0 && m.Plan().Arena > 4*plain.Plan().Arena/5 {
				t.Errorf("frozen %v, %d images: the arena has %d numbers, in float32 %d", frozen, images, m.Plan().Arena, plain.Plan().Arena)
			}
			worst := 0.0
			for j, d := range ds {
				norm := math.Sqrt(dot(d, d) * dot(wants[j], wants[j]))
				if norm <= 1e-12 {
					continue
				}
				cos := dot(d, wants[j]) / norm
				worst = max(worst, math.Sqrt(max(0, 2-2*cos)))
				if cos < 0.9995 {
					t.Errorf("frozen %v, %d images: gradient of %s has cosine %.6f", frozen, images, s.params.Trainable()[j].Name, cos)
				}
			}
			t.Logf("frozen %v, %d images: %v, greatest angle to the reference's gradient %.2g", frozen, images, made, worst)
		}
	}
}
