package gpu_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
)

// counted makes a simulated device count the passes through shared memory; on a GPU the test is left out.
func counted(t *testing.T) (*bench, ptxsim.Banks) {
	t.Helper()
	b := open(t)
	banks := b.count()
	if banks == nil {
		t.Skip("a GPU does not tell")
	}
	return b, banks
}

// count makes a simulated device count them; a GPU does not tell.
func (b *bench) count() ptxsim.Banks {
	sim, ok := b.rec.Next.(*ptxsim.Driver)
	if !ok {
		return nil
	}
	sim.Device.Banks = ptxsim.Banks{}
	return sim.Device.Banks
}

// Products on tensor cores ask no bank of shared memory twice, whatever the transposition, the tile and the source.
func TestGemmMeetsNoBankTwice(t *testing.T) {
	for _, large := range []int{1, 1 << 30} {
		gpu.SetLargeTiles(t, large)
		for _, mode := range []gpu.Mode{gpu.TF32x3, gpu.BFloat16, gpu.TF32} {
			for trans := range 4 {
				b, banks := counted(t)
				product(b, mode, trans&1 != 0, trans&2 != 0, 72, 80, 64, 0)
				if len(banks) == 0 {
					t.Fatal("nothing was counted")
				}
				for _, c := range banks.Conflicts() {
					t.Error(c)
				}
			}
		}
	}
}

// Nor do convolutions.
func TestConvMeetsNoBankTwice(t *testing.T) {
	for _, mode := range []gpu.Mode{gpu.TF32x3, gpu.BFloat16} {
		b, banks := counted(t)
		const c, out, n = 8, 16, 9
		y, x, w := b.zeros(n*n, out), b.dense(b.random(n*n*c), n*n, c), b.dense(b.random(out*9*c), out, 9*c)
		g := gpu.Conv{Images: 1, H: n, W: n, C: c, Kernel: 3, Stride: 1, Pad: 1, Mode: mode}
		b.must(b.dev.Conv2D(y, x, w, g, gpu.Epilogue{}))
		b.must(b.dev.Conv2DGrad(b.zeros(n*n, c), b.zeros(out, 9*c), y, x, w, g))
		b.down(y)
		if s := fmt.Sprint(b.rec.Launches()); !strings.Contains(s, "conv_"+mode.String()) || !strings.Contains(s, "conv_grad_w_"+mode.String()) {
			t.Errorf("launches %s", s)
		}
		for _, c := range banks.Conflicts() {
			t.Error(c)
		}
	}
}

// Nor does attention on tensor cores, forward or backward, wherever a tile begins; its fragments come by ldmatrix.
func TestAttentionMeetsNoBankTwice(t *testing.T) {
	for _, mode := range []gpu.Mode{gpu.TF32x3, gpu.BFloat16} {
		for _, dim := range []int{64, 96} {
			b, banks := counted(t)
			const n = 77
			x := func() gpu.Matrix { return b.dense(b.random(n*dim), n, dim) }
			a := &gpu.Attention{Q: x(), K: x(), V: x(), Out: b.zeros(n, dim), LSE: b.zeros(n, 1), QStarts: b.ints(0, 21, 58, 77), Sequences: 3, Heads: 1,
				Scale: 0.1, Causal: true, Mode: mode, DOut: x(), DQ: b.zeros(n, dim), DK: b.zeros(n, dim), DV: b.zeros(n, dim)}
			a.KStarts = a.QStarts
			b.must(b.dev.Attention(a))
			b.must(b.dev.AttentionGrad(a))
			b.down(a.DK)
			for _, c := range banks.Conflicts() {
				t.Error(c)
			}
			for _, kernel := range []string{"attention_", "attention_grad_q_", "attention_grad_kv_"} {
				found := false
				for name := range banks {
					found = found || strings.HasPrefix(name, kernel) && strings.Contains(name, "ldmatrix")
				}
				if !found {
					t.Errorf("%s: no ldmatrix", kernel)
				}
			}
		}
	}
}
