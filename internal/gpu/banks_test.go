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
	sim, ok := b.rec.Next.(*ptxsim.Driver)
	if !ok {
		t.Skip("a GPU does not tell")
	}
	sim.Device.Banks = ptxsim.Banks{}
	return b, sim.Device.Banks
}

// Products on tensor cores ask no bank of shared memory twice, whatever the transposition, the tile and the source.
func TestGemmMeetsNoBankTwice(t *testing.T) {
	for _, large := range []int{1, 1 << 30} {
		restore := gpu.SetLargeTiles(large)
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
		restore()
	}
}

// Nor do convolutions.
func TestConvMeetsNoBankTwice(t *testing.T) {
	for _, mode := range []gpu.Mode{gpu.TF32x3, gpu.BFloat16} {
		b, banks := counted(t)
		const c, out, n = 8, 16, 9
		y := b.zeros(n*n, out)
		b.must(b.dev.Conv2D(y, b.dense(b.random(n*n*c), n*n, c), b.dense(b.random(out*9*c), out, 9*c),
			gpu.Conv{Images: 1, H: n, W: n, C: c, Kernel: 3, Stride: 1, Pad: 1, Mode: mode}, gpu.Epilogue{}))
		b.down(y)
		if s := fmt.Sprint(b.rec.Launches()); !strings.Contains(s, "conv_"+mode.String()) {
			t.Errorf("launches %s", s)
		}
		for _, c := range banks.Conflicts() {
			t.Error(c)
		}
	}
}
