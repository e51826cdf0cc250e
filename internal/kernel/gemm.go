package kernel

// Gemm computes c = a·b, or with ep what Epilogue says, for a [m, k] (transposed or not), b [k, n]
// and c [m, n] (not transposed).
//
// What b is packed to decides the arithmetic. F32, BF16W and Int8 take float32 left operands and add
// the products in the order of k, one fused multiply-add each, Int8 scaling the sum at the end.
// BF16, BF16x2 and BF16x3 round the left operand to as many bfloat16 planes as b has, and add the
// products of planes that matter, the smallest first, in float32.
//
// A row of c depends on the same row of a and on nothing else: neither the other rows, nor how many
// there are, nor how many goroutines work.
func Gemm(c Matrix, a Matrix, b *Packed, ep *Epilogue) {
	if c.Rows == 0 || c.Cols == 0 || gemmRows(c, a, b, ep) || gemmBF16Arch(c, a, b, ep) {
		return
	}
	j := gemmJobs.get()
	j.c, j.a, j.b = c, a, b
	j.end.from(ep, b)
	j.aside = j.end.overlaps(&c)
	j.run()
	*j = gemmJob{}
	gemmJobs.put(j)
}

// GemmBoth is Gemm for a right operand that is used once, such as dY in dW = Xᵀ·dY.
func GemmBoth(c, a, b Matrix, prec Precision, ep *Epilogue) {
	p := loans.get()
	p.Pack(b, FormatFor(prec))
	Gemm(c, a, p, ep)
	loans.put(p)
}

// loans are the right operands of GemmBoth. They keep their memory.
var loans freeList[Packed]
