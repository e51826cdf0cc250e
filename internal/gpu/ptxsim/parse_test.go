package ptxsim

import (
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// The interpreter knows every instruction of every kernel.
func TestParseKernels(t *testing.T) {
	m, err := Parse(gpu.PTX())
	if err != nil {
		t.Fatal(err)
	}
	for name, params := range gpu.Kernels() {
		k := m.Kernels[name]
		if k == nil || len(k.Params) != params || len(k.code) == 0 {
			t.Errorf("kernel %s was not read whole", name)
		}
	}
}
