package kernel

// Matrix is a view of float32s with Rows rows and Cols columns. Row i begins at V[i*Stride] and is
// contiguous; with Trans set, V holds the transpose, so that column j begins at V[j*Stride] and
// element (i, j) is V[j*Stride+i].
type Matrix struct {
	V                  []float32
	Rows, Cols, Stride int
	Trans              bool
}

// Mat is the matrix [rows, cols] whose rows lie end to end in v.
func Mat(v []float32, rows, cols int) Matrix {
	return Matrix{V: v, Rows: rows, Cols: cols, Stride: cols}
}

// T is the transpose of m, on the same memory.
func (m Matrix) T() Matrix {
	return Matrix{V: m.V, Rows: m.Cols, Cols: m.Rows, Stride: m.Stride, Trans: !m.Trans}
}

// columns is the columns j to j+n of m.
func (m Matrix) columns(j, n int) Matrix {
	if m.Trans {
		m.V = m.V[j*m.Stride:]
	} else {
		m.V = m.V[j:]
	}
	m.Cols = n
	return m
}

// at is element (i, j).
func (m *Matrix) at(i, j int) float32 {
	if m.Trans {
		return m.V[j*m.Stride+i]
	}
	return m.V[i*m.Stride+j]
}

// segment is columns j0 to j1 of row i of a matrix that is not transposed.
func (m *Matrix) segment(i, j0, j1 int) []float32 {
	at := i * m.Stride
	return m.V[at+j0 : at+j1 : at+j1]
}
