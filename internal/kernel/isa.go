package kernel

import (
	"errors"
	"fmt"
	"os"
)

// ISA is an instruction set the kernels are written for, in rising order.
type ISA int

// The instruction sets, each including the ones before it.
const (
	Generic ISA = iota // plain Go
	AVX2               // AVX2 with FMA and F16C
	AVX512             // AVX-512 F, BW, CD, DQ and VL
	AMX                // AVX-512 with BF16, and AMX tiles with bfloat16 products
)

var isaNames = [...]string{"generic", "avx2", "avx512", "amx"}

// String is the name CLIPCAP_CPU takes.
func (i ISA) String() string { return isaNames[i] }

// isa is the set in use. Tests change it to run every form in one process.
var isa, isaError = chooseISA(os.Getenv("CLIPCAP_CPU"), bestISA())

// dotBF16 tells whether the processor multiplies bfloat16 pairs (AVX512-BF16) at a
// rate that beats float32. AMD's Zen 4 and later do; Intel's run it at half rate.
var dotBF16 = isa >= AVX512 && fastDotBF16()

// CPU is the instruction set the kernels use.
func CPU() ISA { return isa }

// CPUError says why CLIPCAP_CPU or CLIPCAP_HIGH could not be honoured, or nil. The kernels then use the best
// set the processor has; commands report the error at start.
func CPUError() error { return errors.Join(isaError, splitError) }

func chooseISA(name string, best ISA) (ISA, error) {
	if name == "" {
		return best, nil
	}
	for i, n := range isaNames {
		if n == name {
			if ISA(i) > best {
				return best, fmt.Errorf("CLIPCAP_CPU=%s: this processor or build has no more than %s", name, best)
			}
			return ISA(i), nil
		}
	}
	return best, fmt.Errorf("CLIPCAP_CPU=%s: want generic, avx2, avx512 or amx", name)
}
