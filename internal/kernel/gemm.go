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

// GemmBoth is Gemm for a right operand that is used once, such as dY in dW = Xᵀ·dY. A large one that meets few rows is
// packed and used piece by piece.
func GemmBoth(c, a, b Matrix, prec Precision, ep *Epilogue) {
	p := loans.get()
	defer loans.put(p)
	f := FormatFor(prec)
	if PacksWhole(c.Rows, b, f) {
		p.Pack(b, f)
		Gemm(c, a, p, ep)
		return
	}
	step := pieceCols(b.Rows, f)
	e := pieces.get()
	defer pieces.put(e)
	for j := 0; j < b.Cols; j += step {
		n := min(step, b.Cols-j)
		p.Pack(b.columns(j, n), f)
		part := Matrix{Rows: c.Rows, Cols: n, Stride: n}
		if c.V != nil {
			part = c.columns(j, n)
		}
		Gemm(part, a, p, e.of(ep, j, n))
	}
}

// PacksWhole tells whether GemmBoth packs b, in format f, at once for a product of so many rows.
func PacksWhole(rows int, b Matrix, f Format) bool {
	return rows > pieceRows || pieceCols(b.Rows, f) >= b.Cols
}

// pieceCols is how many columns of a right operand of depth k are a piece.
func pieceCols(k int, f Format) int {
	return max(panelCols, pieceSize/(f.Size()*max(1, k))/panelCols*panelCols)
}

// pieceRows are few rows: bringing them into order again for every piece takes no time.
const pieceRows = 512

// pieceSize is how many bytes of such a right operand are packed at once. Tests change it.
var pieceSize = 8 << 20

// loans are the right operands of GemmBoth. They keep their memory.
var loans freeList[Packed]

// piece is an Epilogue for some columns.
type piece struct {
	Epilogue
	pre, gradPre, residual  Matrix
	preRounded, gradRounded RoundedMatrix
	result                  RoundedMatrix
}

var pieces freeList[piece]

// of is ep for n columns from j on.
func (e *piece) of(ep *Epilogue, j, n int) *Epilogue {
	if ep == nil {
		return nil
	}
	e.Epilogue = *ep
	if ep.Bias != nil {
		e.Bias = ep.Bias[j : j+n]
	}
	partOf(&e.pre, &e.Pre, Matrix.columns, j, n)
	partOf(&e.gradPre, &e.GradPre, Matrix.columns, j, n)
	partOf(&e.residual, &e.Residual, Matrix.columns, j, n)
	partOf(&e.preRounded, &e.PreRounded, RoundedMatrix.columns, j, n)
	partOf(&e.gradRounded, &e.GradPreRounded, RoundedMatrix.columns, j, n)
	partOf(&e.result, &e.Result, RoundedMatrix.columns, j, n)
	return &e.Epilogue
}

// partOf makes m, unless it is nil, point to n columns from j on of what it points to; here is memory for them.
func partOf[M any](here *M, m **M, columns func(of M, j, n int) M, j, n int) {
	if *m != nil {
		*here = columns(**m, j, n)
		*m = here
	}
}
