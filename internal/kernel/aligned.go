package kernel

// Aligned is a zeroed slice of n elements that begins on a cache line, as the kernels like it.
func Aligned(n int) []float32 {
	v := alignedFloats(max(n, 1))[:n]
	LargePages(v)
	return v
}

// AlignedRounded is a zeroed slice of n bfloat16 numbers that begins on a cache line.
func AlignedRounded(n int) []uint16 { return asU16(alignedFloats((max(n, 1) + 1) / 2))[:n] }
