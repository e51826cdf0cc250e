package kernel

// Rounded is a matrix [rows, cols] rounded to bfloat16 that is the left operand of products whose right operands are
// packed to BF16. Between two products of which one's result is the other's left operand it takes half the
// memory of float32, and the second need not round and order it: GemmRounded and MulRounded together give bit for bit
// what two calls of Gemm give. Where the processor does not multiply bfloat16, it is a float32 matrix like any other.
// The zero value is ready for a result; it keeps its memory from one use to the next.
type Rounded struct {
	rows, cols int
	mem        []float32 // what left or plain lies in
	left       leftArch
	plain      bool
}

// WorthRounding tells whether a matrix of so many columns takes clearly less memory when it is rounded, although its rows are filled
// up to whole groups.
func WorthRounding(cols int) bool {
	const group = 32
	return 5*roundUp(cols, group) <= 8*cols
}

// RoundedSize is the memory, in float32 numbers, that Lay needs for a matrix [rows, cols].
func RoundedSize(rows, cols int) int {
	var r Rounded
	r.rows, r.cols = rows, cols
	if !r.layArch() {
		return rows * cols
	}
	return r.sizeArch()
}

// Lay makes r a matrix [rows, cols] that lies in mem, of RoundedSize numbers on a cache line, with what is there as its content.
func (r *Rounded) Lay(mem []float32, rows, cols int) {
	n := RoundedSize(rows, cols)
	*r = Rounded{mem: mem[:n:n]}
	r.shape(rows, cols)
}

// shape gives r the memory for a matrix [rows, cols], with arbitrary content.
func (r *Rounded) shape(rows, cols int) {
	r.rows, r.cols = rows, cols
	if r.plain = !r.layArch(); r.plain {
		r.mem = regrow(r.mem, rows*cols)
		return
	}
	r.mem = regrow(r.mem, r.sizeArch())
	r.liesArch()
}

// matrix is a plain r.
func (r *Rounded) matrix() Matrix { return Mat(r.mem[:r.rows*r.cols], r.rows, r.cols) }

// GemmRounded sets dst to a·b, or with ep to what Epilogue says, rounded to bfloat16. b is packed to BF16.
func GemmRounded(dst *Rounded, a Matrix, b *Packed, ep *Epilogue) {
	mustBF16(b)
	dst.shape(a.Rows, b.n)
	if dst.rows == 0 || dst.cols == 0 || !dst.plain && fillArch(dst, a, nil, b, ep) {
		return
	}
	dst.flatten()
	Gemm(dst.matrix(), a, b, ep)
}

// MulRounded computes c = a·b, or with ep what Epilogue says, for b packed to BF16.
func MulRounded(c Matrix, a *Rounded, b *Packed, ep *Epilogue) {
	a.mustMeet(b)
	switch {
	case c.Rows == 0 || c.Cols == 0:
	case a.plain || a.cols == 0:
		Gemm(c, a.matrix(), b, ep)
	default:
		mulArch(c, a, b, ep)
	}
}

// GemmBetween is GemmRounded of a rounded left operand, which may not be dst.
func GemmBetween(dst, a *Rounded, b *Packed, ep *Epilogue) {
	a.mustMeet(b)
	dst.shape(a.rows, b.n)
	switch {
	case dst.rows == 0 || dst.cols == 0:
	case a.plain || a.cols == 0:
		dst.flatten()
		Gemm(dst.matrix(), a.matrix(), b, ep)
	default:
		fillArch(dst, Matrix{}, a, b, ep)
	}
}

// widen is what r holds as numbers, in dst.
func (r *Rounded) widen(dst []float32) []float32 {
	dst = dst[:r.rows*r.cols]
	for i := range r.rows {
		r.get(dst[i*r.cols:(i+1)*r.cols], i, 0)
	}
	return dst
}

// round makes r of its numbers.
func (r *Rounded) round(src []float32) {
	if r.cols == 0 {
		return
	}
	for i := range r.rows {
		r.put(i, 0, src[i*r.cols:(i+1)*r.cols])
	}
}

// flatten makes r plain: a product without depth is none of bfloat16.
func (r *Rounded) flatten() {
	if !r.plain {
		r.plain = true
		r.mem = regrow(r.mem, r.rows*r.cols)
	}
}

// mustMeet panics unless r can be multiplied by b.
func (r *Rounded) mustMeet(b *Packed) {
	mustBF16(b)
	if r.cols != b.k {
		panic("kernel: a rounded left operand and a right operand whose depths differ")
	}
}

func mustBF16(b *Packed) {
	if b.format != BF16 {
		panic("kernel: a rounded left operand needs a right operand packed to bf16, not " + b.format.String())
	}
}
