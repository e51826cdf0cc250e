//go:build !amd64 || noasm

package kernel

// gemmBF16Arch computes the products of the bfloat16 formats where the processor multiplies bfloat16.
func gemmBF16Arch(Matrix, Matrix, *Packed, *Epilogue) bool { return false }
