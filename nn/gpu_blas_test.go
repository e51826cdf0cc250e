package nn

import (
	"math"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// Training in bfloat16 by cuBLASLt, which reads weights from copies in bfloat16, follows training by our own kernels, which round them as
// they go: so the copies follow every update. Copies of weights that do not change are made once.
func TestGPUTrainingByBlas(t *testing.T) {
	cfg := small
	train := func(gemm string) (losses []float64, rounded []int) {
		be, r := recorded(t, BFloat16)
		if err := be.dev.UseGemm(gemm); err != nil {
			t.Skip(err)
		}
		s := newStack(t, cfg)
		for _, p := range s.params[:len(s.params)/2] {
			p.Frozen = true
		}
		b, m, grads := stackMachine(t, be, s)
		o, err := NewAdamW(m, s.params.Trainable(), grads.Of)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 8 {
			r.Forget()
			b.fill(t, cfg, 1, 6, 2, 3)
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			losses = append(losses, floats(t, m, b.loss)[0])
			if step < 2 {
				n := 0
				for _, name := range r.Launches() {
					if name == "to_bf16" {
						n++
					}
				}
				rounded = append(rounded, n)
			}
			if step == 0 && gemm == "cublas" && !slices.Contains(r.Launches(), gpu.BlasKernel) {
				t.Error("no product by cuBLASLt")
			}
			if err := o.Update(1e-2, 1); err != nil {
				t.Fatal(err)
			}
		}
		return losses, rounded
	}
	want, _ := train("ptx")
	got, rounded := train("cublas")
	if !(rounded[1] < rounded[0] && rounded[1] > 0) {
		t.Errorf("%d matrices are rounded in the first step and %d in the second: want fewer", rounded[0], rounded[1])
	}
	if !(want[7] < 0.9*want[0]) {
		t.Fatalf("losses %v tell nothing", want)
	}
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= 2e-3*want[i]) {
			t.Errorf("step %d: loss %.6f by cuBLASLt, %.6f by our kernels", i, got[i], want[i])
		}
	}
}
