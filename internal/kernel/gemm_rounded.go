package kernel

// Rounded is a matrix [rows, cols] rounded to bfloat16 that is the left operand of products whose right operands are
// packed to BF16. Between two products of which one's result is the other's left operand it takes half the
// memory of float32, and the second need not round and order it: GemmRounded and MulRounded together give bit for bit
// what two calls of Gemm give. Where the processor does not multiply bfloat16, it is a float32 matrix like any other.
// The zero value is ready for GemmRounded; it keeps its memory from one use to the next.
type Rounded struct {
	rows, cols int
	mem        []float32 // what left or plain lies in
	left       leftArch
	plain      bool
}

// shape gives r the memory for a matrix [rows, cols], with arbitrary content.
func (r *Rounded) shape(rows, cols int) {
	r.rows, r.cols = rows, cols
	if r.plain = !r.shapeArch(); r.plain {
		r.mem = regrow(r.mem, rows*cols)
	}
}

// matrix is a plain r.
func (r *Rounded) matrix() Matrix { return Mat(r.mem[:r.rows*r.cols], r.rows, r.cols) }

// GemmRounded sets dst to a·b, or with ep to what Epilogue says, rounded to bfloat16. b is packed to BF16.
func GemmRounded(dst *Rounded, a Matrix, b *Packed, ep *Epilogue) {
	mustBF16(b)
	dst.shape(a.Rows, b.n)
	if dst.rows == 0 || dst.cols == 0 || dst.fillArch(a, b, ep) {
		return
	}
	if !dst.plain { // no depth, so no product of bfloat16
		dst.plain = true
		dst.mem = regrow(dst.mem, dst.rows*dst.cols)
	}
	Gemm(dst.matrix(), a, b, ep)
}

// MulRounded computes c = a·b, or with ep what Epilogue says, for b packed to BF16.
func MulRounded(c Matrix, a *Rounded, b *Packed, ep *Epilogue) {
	mustBF16(b)
	if a.cols != b.k {
		panic("kernel: MulRounded of operands whose depths differ")
	}
	switch {
	case c.Rows == 0 || c.Cols == 0:
	case a.plain || a.cols == 0:
		Gemm(c, a.matrix(), b, ep)
	default:
		a.mulArch(c, b, ep)
	}
}

func mustBF16(b *Packed) {
	if b.format != BF16 {
		panic("kernel: a rounded left operand needs a right operand packed to bf16, not " + b.format.String())
	}
}
