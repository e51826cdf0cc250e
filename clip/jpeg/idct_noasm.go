//go:build noasm || !amd64

package jpeg

// transform writes the 8×8 samples of a block of coefficients that were multiplied by their quantisation steps; it overwrites block.
func transform(out []byte, stride int, block *[64]int32) { transformGo(out, stride, block) }
