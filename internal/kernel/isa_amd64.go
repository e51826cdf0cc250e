//go:build amd64 && !noasm

package kernel

import "golang.org/x/sys/cpu"

func bestISA() ISA {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return Generic
	case !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512CD || !x.HasAVX512DQ || !x.HasAVX512VL:
		return AVX2
	case !x.HasAMXTile || !x.HasAMXBF16 || !x.HasAVX512BF16 || !amxPermitted():
		return AVX512
	}
	return AMX
}

// cpuid runs the CPUID instruction.
func cpuid(eax, ecx uint32) (a, b, c, d uint32)

func fastDotBF16() bool {
	_, b, c, d := cpuid(0, 0)
	amd := b == 0x68747541 && d == 0x69746e65 && c == 0x444d4163 // "AuthenticAMD"
	return amd && cpu.X86.HasAVX512BF16
}
