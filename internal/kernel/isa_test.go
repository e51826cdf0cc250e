package kernel

import (
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/clipcap-go/clipcap/internal/testkit/amxemu"
)

// bestTestISA is the best instruction set tests can run: AMX's tiles are emulated where they are missing.
func bestTestISA() ISA {
	if best := bestISA(); best != AVX512 || !cpu.X86.HasAVX512BF16 || !amxemu.Install() {
		return best
	}
	return AMX
}

// eachISA runs test once with every instruction set this processor has, or can emulate, in use.
func eachISA(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer func(old ISA) { isa = old }(isa)
	for i := Generic; i <= bestTestISA(); i++ {
		t.Run(i.String(), func(t *testing.T) {
			isa = i
			test(t)
		})
	}
}
