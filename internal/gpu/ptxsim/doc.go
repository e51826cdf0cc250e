// Package ptxsim runs PTX, the assembly text that NVIDIA's compilers emit, on the processor: threads in warps, barriers,
// warp shuffles, shared memory, asynchronous copies and tensor-core products, for the part of the
// language that this module's kernels use. It exists so that kernels can be tested where there is no GPU.
//
// It is stricter than a GPU: a load or store outside an allocation, off its alignment, or of memory nobody wrote is an
// error, and so are two threads that touch one word of shared memory without a barrier between them, a word of
// global memory written by two threads of one launch, a shuffle that some lanes miss, and a copy nobody waited for.
// Approximate instructions are as far off as their manual allows, and tensor cores cut off as the oldest supported ones do. What it does not model is time.
package ptxsim
