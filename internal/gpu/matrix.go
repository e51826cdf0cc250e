package gpu

// Matrix is a row-major matrix of float32 in device memory, or a vector as one row. The zero Matrix is none.
type Matrix struct {
	Ptr        Ptr
	Rows, Cols int
	Stride     int
	// Half, if it is not 0, is where the same numbers lie in bfloat16 with the same stride. Ptr may be 0 then: what only products read may be
	// so, and what they, layer norm and attention write.
	Half Ptr
	// Int8, if it is not 0, is where they lie as integers with the same stride, to be multiplied by Scales, one a row (ByRow) or one a
	// column. Ptr and Half are 0 then.
	Int8, Scales Ptr
	ByRow        bool
}

// dense is a matrix whose rows lie end to end.
func dense(p Ptr, rows, cols int) Matrix { return Matrix{Ptr: p, Rows: rows, Cols: cols, Stride: cols} }

// None tells whether m is absent.
func (m Matrix) None() bool { return m.Ptr == 0 && m.Half == 0 && m.Int8 == 0 }

// rows are n rows of m from row i on.
func (m Matrix) rows(i, n int) Matrix {
	if m.None() {
		return m
	}
	if m.Ptr != 0 {
		m.Ptr += Ptr(4 * i * m.Stride)
	}
	if m.Half != 0 {
		m.Half += Ptr(2 * i * m.Stride)
	}
	if m.Int8 != 0 {
		m.Int8 += Ptr(i * m.Stride)
		if m.ByRow {
			m.Scales += Ptr(4 * i)
		}
	}
	m.Rows = n
	return m
}

// size is the number of elements of a matrix whose rows lie end to end.
func (m Matrix) size() int { return m.Rows * m.Cols }

// inHalf tells whether m is in bfloat16 alone.
func (m Matrix) inHalf() bool { return m.Ptr == 0 && m.Half != 0 }

// at is where m lies, in float32 or in bfloat16 alone.
func (m Matrix) at() Ptr {
	if m.inHalf() {
		return m.Half
	}
	return m.Ptr
}

// wide tells whether every row begins on 16 bytes.
func (m Matrix) wide() bool { return m.Ptr%16 == 0 && m.Stride%4 == 0 }

// halfWide tells whether every row of the numbers in bfloat16 begins on 8 bytes.
func (m Matrix) halfWide() bool { return m.Half%8 == 0 && m.Stride%4 == 0 }

// copyWide tells whether every row of the numbers in bfloat16 begins on 16 bytes, which asynchronous copies want.
func (m Matrix) copyWide() bool { return m.Half%16 == 0 && m.Stride%8 == 0 }

// Activation is an elementwise non-linearity, numbered as in kernels/act.cuh.
type Activation int

// The activations.
const (
	NoActivation Activation = iota
	GELUTanh
	QuickGELU
	GELUErf
	ReLU
	Tanh
)

// Epilogue is what a product does to its result before storing it, in this order: add Bias, store it in Pre, apply Act,
// multiply by the derivative of GradOf at GradPre, add Residual, and with Positive take ReLU of it.
type Epilogue struct {
	Bias     Matrix
	Pre      Matrix
	Act      Activation
	GradOf   Activation
	GradPre  Matrix
	Residual Matrix
	Positive bool
}

// rows is e for the result's rows from i on.
func (e Epilogue) rows(i, n int) Epilogue {
	e.Pre, e.GradPre, e.Residual = e.Pre.rows(i, n), e.GradPre.rows(i, n), e.Residual.rows(i, n)
	return e
}

// Bits of an epilogue's activation, as in kernels/epilogue.cuh: what is in bfloat16.
const (
	halfResult = 512 << iota
	halfPre
	halfGradPre
)

// args are for a result c.
func (e *Epilogue) args(c Matrix) []any {
	gradOf := e.GradOf
	gradPre := e.GradPre
	if gradOf == NoActivation {
		gradPre = Matrix{}
	}
	act := int(e.Act)
	if e.Positive {
		act |= 256
	}
	for i, bit := range [...]int{halfResult, halfPre, halfGradPre} {
		if [...]*Matrix{&c, &e.Pre, &gradPre}[i].inHalf() {
			act |= bit
		}
	}
	return []any{e.Bias.Ptr, e.Pre.at(), e.Pre.Stride, gradPre.at(), gradPre.Stride, e.Residual.Ptr, e.Residual.Stride, act, int(gradOf)}
}
