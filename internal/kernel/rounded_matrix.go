package kernel

import "github.com/clipcap-go/clipcap/internal/half"

// RoundedMatrix is a Matrix of bfloat16 bit patterns that is not transposed: what is kept for long, in half the memory of float32.
type RoundedMatrix struct {
	V                  []uint16
	Rows, Cols, Stride int
}

// RoundedIn is a matrix of rows that lie stride bfloat16 numbers apart in mem, two in the place of a float32.
func RoundedIn(mem []float32, rows, cols, stride int) RoundedMatrix {
	m := RoundedMatrix{Rows: rows, Cols: cols, Stride: stride}
	if rows > 0 && cols > 0 {
		m.V = asU16(mem)[:(rows-1)*stride+cols]
	}
	return m
}

// segment is columns j0 to j1 of row i.
func (m *RoundedMatrix) segment(i, j0, j1 int) []uint16 {
	at := i * m.Stride
	return m.V[at+j0 : at+j1 : at+j1]
}

// row is row i.
func (m *RoundedMatrix) row(i int) []uint16 { return m.segment(i, 0, m.Cols) }

// columns are n columns from j on.
func (m RoundedMatrix) columns(j, n int) RoundedMatrix {
	if m.Rows > 0 {
		m.V = m.V[j:]
	}
	m.Cols = n
	return m
}

// Widen sets dst, of the same shape, to what m holds.
func (m RoundedMatrix) Widen(dst Matrix) {
	m.each(dst, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			half.WidenBF16(t.y.row(i), t.rounded.row(i))
		}
	})
}

// Round sets m to src, of the same shape, rounded to nearest with ties to even.
func (m RoundedMatrix) Round(src Matrix) {
	m.each(src, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			half.NarrowBF16(t.rounded.row(i), t.y.row(i))
		}
	})
}

// ActRounded is Act of what m holds.
func ActRounded(dst Matrix, m RoundedMatrix, act Activation) {
	t := tasks.get()
	t.y, t.rounded, t.act = dst, m, act
	t.overRows(m.Rows, m.Cols, 4, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			y := t.y.row(i)
			half.WidenBF16(y, t.rounded.row(i))
			actRow(y, y, t.act)
		}
	})
}

// each has f do some rows at a time of a task whose y is wide and whose rounded is m.
func (m RoundedMatrix) each(wide Matrix, f func(t *task, lo, hi int)) {
	t := tasks.get()
	t.y, t.rounded = wide, m
	t.overRows(m.Rows, m.Cols, 1, f)
}
