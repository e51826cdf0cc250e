// Package kernel holds the arithmetic of the framework on plain slices: matrix
// products, attention, normalisation, activations, losses and the optimizer, in
// float32 and bfloat16. It knows no graph, no model and no file.
//
// Every kernel has a form in plain Go, which is what a build for another
// architecture or with the tag noasm runs, and what the tests hold the assembly
// against. On amd64 there are assembly forms for AVX2 with FMA, AVX-512 and
// AMX; which one runs is settled once at start from the processor (see ISA).
//
// Matrices are row-major. Shapes in comments read [rows, cols]; the usual
// letters are m rows, n columns and k the depth of a product.
//
// A kernel trusts its caller: package nn checks shapes when a graph is built and
// counts and ids when it runs, so a kernel given slices of the wrong length may
// panic but never writes outside them.
package kernel
