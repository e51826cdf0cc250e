package nn

import (
	"math"
	"strings"
	"testing"
)

// What passes from one product to the next in bfloat16 on a GPU: the places in a transformer layer's forward and backward pass, the
// memory, and loss and gradients, which stay as near to the reference as they are with numbers in between, with our own products and
// with cuBLASLt's, for all weights and for frozen ones.
func TestGPUKeepsHalf(t *testing.T) {
	cfg := stackConfig{dim: 24, heads: 3, layers: 2, vocab: 301, prefix: 3, feature: 8, images: 4, tokens: 9}
	for _, gemm := range []string{"ptx", "cublas"} {
		for _, frozen := range []bool{false, true} {
			s := newStack(t, cfg)
			if frozen {
				for _, p := range s.params {
					p.Frozen = !strings.HasPrefix(p.Name, "clip_project")
				}
			}
			run := func(be Backend) (loss float64, ds [][]float64, arena int, made map[string]int) {
				b, m, grads := stackMachine(t, be, s)
				b.fill(t, cfg, 2, 9, 1, 0, 5)
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				for _, n := range grads.Of {
					ds = append(ds, floats(t, m, n))
				}
				made = map[string]int{}
				for i := range m.steps {
					for _, v := range m.steps[i].out {
						if v != nil && v.mem.Form == Rounded {
							made[m.steps[i].op.name]++
						}
					}
				}
				return floats(t, m, b.loss)[0], ds, m.Plan().Arena, made
			}
			want, wants, _, _ := run(NewReference())
			var arenas [2]int
			var errs [2]float64
			for i, few := range []int{1 << 30, 0} {
				be := simulated(t, BFloat16)
				if err := be.dev.UseGemm(gemm); err != nil {
					t.Skip(err)
				}
				be.fewRows = few
				loss, ds, arena, made := run(be)
				arenas[i] = arena
				if d := math.Abs(loss - want); !(d <= 3e-2*want) {
					t.Errorf("%s frozen=%v, rounded=%v: loss %g, want %g", gemm, frozen, few == 0, loss, want)
				}
				for j, d := range ds {
					norm := math.Sqrt(dot(d, d) * dot(wants[j], wants[j]))
					if norm <= 1e-12 {
						continue
					}
					cos := dot(d, wants[j]) / norm
					errs[i] = max(errs[i], math.Sqrt(max(0, 2-2*cos)))
					if !(cos >= 0.999) {
						t.Errorf("%s frozen=%v, rounded=%v: gradient of %s has cosine %.6f", gemm, frozen, few == 0, s.params.Trainable()[j].Name, cos)
					}
				}
				t.Logf("%s frozen=%v: %v", gemm, frozen, made)
				if (few != 0) != (len(made) == 0) {
					t.Errorf("%s frozen=%v, fewest rows %d: rounded are %v", gemm, frozen, few, made)
				}
			}
			t.Logf("%s frozen=%v: arena %v, greatest angle to the reference's gradient %.2g and %.2g", gemm, frozen, arenas, errs[0], errs[1])
			if arenas[1] >= arenas[0] {
				t.Errorf("the arena has %d numbers with results in bfloat16, %d without", arenas[1], arenas[0])
			}
		}
	}
}

// A GPU has no form in which the CPU orders images: blocks of a ResNet in bfloat16 keep numbers there or rounded rows, and give the
// reference's features.
func TestGPUOrdersNothing(t *testing.T) {
	ref := newBottleneck(4, nil)
	run := func(be Backend) ([]float64, *Machine) {
		b := newBottleneck(4, ref.weights)
		m, err := NewMachine(be, b.out)
		if err != nil {
			t.Fatal(err)
		}
		if err := Set(b.in, pixelsOf(0, 4)); err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		return floats(t, m, b.out), m
	}
	want, _ := run(NewReference())
	be := simulated(t, BFloat16)
	be.fewRows = 0
	got, m := run(be)
	for i := range m.steps {
		for _, v := range m.steps[i].out {
			if v != nil && v.mem.Form == Ordered {
				t.Errorf("%s makes ordered images", m.steps[i].op.name)
			}
		}
	}
	if c := cosine(got, want); !(c > 0.9995) {
		t.Errorf("cosine %v with the reference", c)
	}
}
