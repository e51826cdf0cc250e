//go:build !noasm

package jpeg

import (
	"os"

	"golang.org/x/sys/cpu"
)

// avx2 says whether the assembly may run; CLIPCAP_CPU=generic forbids it, as it does the kernels'.
var avx2 = cpu.X86.HasAVX2 && os.Getenv("CLIPCAP_CPU") != "generic"

// transformAVX2 is transformGo in eight lanes; out has seven strides and eight bytes.
//
//go:noescape
func transformAVX2(out *byte, stride int, block *[64]int32)

// transform writes the 8×8 samples of a block of coefficients that were multiplied by their quantisation steps; it overwrites block.
func transform(out []byte, stride int, block *[64]int32) {
	if !avx2 {
		transformGo(out, stride, block)
		return
	}
	_ = out[7*stride+7]
	transformAVX2(&out[0], stride, block)
}
