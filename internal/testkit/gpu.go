package testkit

import (
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
	"github.com/clipcap-go/clipcap/nn"
)

// GPU is a backend on the simulated GPU, or on the one that CLIPCAP_CUDA numbers, until the test ends.
func GPU(t testing.TB, p nn.Precision) nn.Backend {
	t.Helper()
	driver, err := ptxsim.Open(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := gpu.NewDevice(driver)
	if err != nil {
		t.Fatal(err)
	}
	be := nn.NewGPU(dev, "cuda:test", p)
	t.Cleanup(func() { be.Close() })
	return be
}

// Simulated tells whether GPU simulates, which takes its time.
func Simulated() bool { return !ptxsim.Real() }

// NeedsGPU skips a test that is too much for the simulated GPU where there is no other.
func NeedsGPU(t testing.TB) {
	t.Helper()
	if !ptxsim.Real() {
		t.Skip("for a GPU: CLIPCAP_CUDA gives its number")
	}
}
