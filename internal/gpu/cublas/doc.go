// Package cublas computes products with NVIDIA's cuBLASLt, which is opened when a program wants it (build tag gpu): neither
// its headers nor the library are needed to build one. It knows no graph and no driver; a caller brings the addresses of
// matrices in device memory and the stream.
package cublas

// Product is c [m, n] = op(a)·op(b) + bias + residual of row-major matrices; op transposes where asked. Strides are in elements.
// Products that are equal share what cuBLASLt's heuristics found.
type Product struct {
	M, N, K        int
	TransA, TransB bool
	A, B, C, R     int  // strides; R of the residual, 0 for none
	Half           bool // a and b are bfloat16, not float32
	TF32           bool // float32 operands may be rounded to tf32
	HalfC          bool // c is bfloat16, and so is bias; residual is none
	Bias           bool
	// Align is what the addresses of a, b, c and residual are multiples of, in bytes, at most 256.
	Align [4]int
}

// Workspace is the memory in bytes that a product may use.
const Workspace = 32 << 20
