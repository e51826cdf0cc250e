//go:build noasm || !amd64

package jpeg

// transform writes the 8×8 samples of a block of coefficients, which are times their steps; block is used up.
func transform(out []byte, stride int, block *[64]int32) { transformGo(out, stride, block) }
