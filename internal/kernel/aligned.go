package kernel

// Aligned is a zeroed slice of n elements that begins on a cache line, as the kernels like it.
func Aligned(n int) []float32 { return alignedFloats(max(n, 1))[:n] }
