//go:build amd64 && !noasm

package kernel

// Steps and strides of these functions are bytes. A "group" is 32 deep: 64 bytes of bfloat16.

// Splits 32*groups floats of a row into planes: src ≈ the sum of the planes, each bfloat16, the
// first being src rounded, and subnormals zero. Group g of plane p goes to dst + g*dstStep + p*planeStep.
//
//go:noescape
func splitRow(dst *uint16, dstStep int, src *float32, groups, planes, planeStep int)

// Splits columns of 2*pairs rows into planes and pairs rows 2i and 2i+1: the words
// (row 2i+1 << 16 | row 2i) of the columns go to dst + i*dstStep + p*planeStep, zeros up to the next
// multiple of 16.
//
//go:noescape
func pairRows(dst *uint16, dstStep int, src *float32, srcStep, pairs, columns, planes, planeStep int)

// Transposes blocks of 16 by 16 32-bit words: row r, word c of block g (src + r*srcStep + g*64) goes to
// word r of dst + c*dstRow + g*dstStep. Of the result's rows, 14 or all 16 are written.
//
//go:noescape
func transposeWords(dst *uint16, dstRow, dstStep int, src *uint16, srcStep, groups, rows int)

const (
	groupDepth = 32
	// A transposed operand is read leftWide columns at a time, a whole number of panels and of cache lines.
	leftWide14 = 8 * 14
	leftWide32 = 4 * 32
)

// leftBF16 is a left operand cut into panels of rows rows: v is [plane][panel][k/32][rows][32], padded
// with zeros in depth; rows beyond the operand's are arbitrary. It is what VDPBF16PS broadcasts from
// (rows = 14) and AMX loads as tiles (rows = 32).
type leftBF16 struct {
	v                []uint16
	rows, kp, planes int
	panels, planeLen int
}

// shape sets all but v for an operand [rows, k] in panels of so many rows.
func (l *leftBF16) shape(rows, k, panel, planes int) {
	*l = leftBF16{rows: panel, kp: (k + groupDepth - 1) &^ (groupDepth - 1), planes: planes}
	l.panels = (rows + panel - 1) / panel
	l.planeLen = l.panels * panel * l.kp
}

// at is the start of group g of panel i.
func (l *leftBF16) at(i, g int) *uint16 { return &l.v[(i*l.kp+g*groupDepth)*l.rows] }

// wide is how many panels of a transposed operand are packed at once.
func (l *leftBF16) wide() int {
	if l.rows == 14 {
		return leftWide14 / 14
	}
	return leftWide32 / 32
}

// pack fills panels i0 to i1 from a; at most wide of them if it is transposed.
func (l *leftBF16) pack(i0, i1 int, a *Matrix) {
	if a.Trans {
		l.packColumns(i0, i1, a)
		return
	}
	whole, rest := a.Cols/groupDepth, a.Cols%groupDepth
	for i := i0 * l.rows; i < min(i1*l.rows, a.Rows); i++ {
		dst := l.v[i/l.rows*l.rows*l.kp+i%l.rows*groupDepth:]
		row := a.segment(i, 0, a.Cols)
		if whole > 0 {
			splitRow(&dst[0], l.rows*64, &row[0], whole, l.planes, 2*l.planeLen)
		}
		if rest > 0 {
			var tail [groupDepth]float32
			copy(tail[:], row[whole*groupDepth:])
			splitRow(&dst[whole*l.rows*groupDepth], 0, &tail[0], 1, l.planes, 2*l.planeLen)
		}
	}
}

// packColumns is pack for a transposed matrix: its memory has the depth along rows. It is read along them,
// each line once: two rows of depth become a row of pairs, and 16 rows of pairs, transposed, a group.
func (l *leftBF16) packColumns(i0, i1 int, a *Matrix) {
	const step = leftWide32 + 16 // words of a row of pairs, and what is read beyond
	const plane = step * groupDepth / 2
	buf := scratch.get(plane * l.planes)
	words := asU16(buf)
	first := i0 * l.rows
	count := min(i1*l.rows, a.Rows) - first
	for k0 := 0; k0 < l.kp; k0 += groupDepth {
		if k0+groupDepth <= a.Cols {
			pairRows(&words[0], 4*step, &a.V[k0*a.Stride+first], 4*a.Stride, groupDepth/2, count, l.planes, 4*plane)
		} else {
			tail := scratch.get(groupDepth * leftWide32)
			clear(tail)
			for k := k0; k < a.Cols; k++ {
				copy(tail[(k-k0)*leftWide32:], a.V[k*a.Stride+first:k*a.Stride+first+count])
			}
			pairRows(&words[0], 4*step, &tail[0], 4*leftWide32, groupDepth/2, count, l.planes, 4*plane)
			scratch.put(tail)
		}
		for p := range l.planes {
			for r := 0; r < count; r += min(16, l.rows-r%l.rows) {
				i, in := i0+r/l.rows, r%l.rows
				dst := l.v[p*l.planeLen+(i*l.kp+k0)*l.rows+in*groupDepth:]
				transposeWords(&dst[0], 64, 0, &words[2*(p*plane+r)], 4*step, 1, min(l.rows-in, 16))
			}
		}
	}
	scratch.put(buf)
}
