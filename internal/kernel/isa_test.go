package kernel

import (
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/clipcap-go/clipcap/internal/testkit/amxemu"
)

// bestTestISA is the best instruction set tests can run: AMX's tiles, and conversions to bfloat16, are emulated where they are
// missing.
func bestTestISA() ISA {
	if best := bestISA(); best != AVX512 || !amxemu.Install() {
		return best
	}
	return AMX
}

// eachISA runs test once with every instruction set this processor has, or can emulate, in use.
func eachISA(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer func(old ISA, dot bool) { isa, dotBF16 = old, dot }(isa, dotBF16)
	for i := Generic; i <= bestTestISA(); i++ {
		t.Run(i.String(), func(t *testing.T) {
			isa = i
			test(t)
		})
	}
	if best := bestTestISA(); best >= AVX512 && !dotBF16 && (best == AMX || cpu.X86.HasAVX512BF16) {
		t.Run("avx512 with pairs", func(t *testing.T) {
			isa, dotBF16 = AVX512, true
			test(t)
		})
	}
}

func TestChooseSplit(t *testing.T) {
	for name, want := range map[string]bool{"": false, "split": true} {
		if got, err := chooseSplit(name); got != want || err != nil {
			t.Errorf("CLIPCAP_HIGH=%s: %v, %v", name, got, err)
		}
	}
	if _, err := chooseSplit("tiles"); err == nil || !strings.Contains(err.Error(), "want split") {
		t.Errorf("CLIPCAP_HIGH=tiles: %v", err)
	}
	defer func(s bool) { splitHigh = s }(splitHigh)
	splitHigh = true
	eachISA(t, func(t *testing.T) {
		if got := FormatFor(High); got != BF16x2 {
			t.Errorf("high is %v, want two planes", got)
		}
		if got := FormatFor(BFloat16); got != BF16 {
			t.Errorf("bfloat16 is %v", got)
		}
	})
}
