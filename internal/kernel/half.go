package kernel

import "github.com/clipcap-go/clipcap/internal/half"

// Half is a matrix of bfloat16 numbers: element (i, j) is V[i*Stride+j]. It is what is only kept for a gradient that rounds it
// anyway, in half the memory of float32.
type Half struct {
	V                  []uint16
	Rows, Cols, Stride int
}

// HalfOf is the contiguous matrix [rows, cols] in v.
func HalfOf(v []uint16, rows, cols int) Half { return Half{v, rows, cols, cols} }

// row is row i.
func (h *Half) row(i int) []uint16 {
	at := i * h.Stride
	return h.V[at : at+h.Cols : at+h.Cols]
}

// Widen sets dst to what h holds.
func (h Half) Widen(dst Matrix) { h.convert(dst, fromBF16) }

// Round sets h to src, rounded to nearest with ties to even.
func (h Half) Round(src Matrix) { h.convert(src, toBF16) }

func (h Half) convert(wide Matrix, kind conversion) {
	t := tasks.get()
	t.half, t.x, t.flag = h, wide, kind == toBF16
	t.overRows(h.Rows, h.Cols, 1, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			if t.flag {
				half.NarrowBF16(t.half.row(i), t.x.row(i))
			} else {
				half.WidenBF16(t.x.row(i), t.half.row(i))
			}
		}
	})
}
