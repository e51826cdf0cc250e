//go:build amd64 && !noasm

package kernel

// Steps and strides of these functions are bytes. A "group" is 32 deep: 64 bytes of bfloat16.

// Splits 32*groups floats of a row into planes: src ≈ the sum of the planes, each bfloat16, the
// first being src rounded. Group g of plane p goes to dst + g*dstStep + p*planeStep.
//
//go:noescape
func splitRow(dst *uint16, dstStep int, src *float32, groups, planes, planeStep int)

// Splits 16 columns of 2*pairs rows into planes and pairs rows 2i and 2i+1: the words
// (row 2i+1 << 16 | row 2i) of 16 columns go to dst + i*dstStep + p*planeStep.
//
//go:noescape
func pairRows(dst *uint16, dstStep int, src *float32, srcStep, pairs, planes, planeStep int)

// Transposes blocks of 16 by 16 32-bit words: row r, word c of block g (src + r*srcStep + g*64) goes to
// word r of dst + c*dstRow + g*dstStep. Of the result's rows, 14 or all 16 are written.
//
//go:noescape
func transposeWords(dst *uint16, dstRow, dstStep int, src *uint16, srcStep, groups, rows int)

const groupDepth = 32

// leftBF16 is a left operand cut into panels of rows rows: v is [plane][panel][k/32][rows][32], padded
// with zeros. It is what VDPBF16PS broadcasts from (rows = 14) and AMX loads as tiles (rows = 32).
type leftBF16 struct {
	v                []uint16
	rows, kp, planes int
	panels, planeLen int
}

// at is the start of group g of panel i.
func (l *leftBF16) at(i, g int) *uint16 { return &l.v[(i*l.kp+g*groupDepth)*l.rows] }

// pack fills panel i from a.
func (l *leftBF16) pack(i int, a *Matrix) {
	if a.Trans {
		for r := 0; r < l.rows; r += 16 {
			l.packColumns(i, r, a)
		}
		return
	}
	first, step := i*l.rows, l.rows*64
	whole, rest := a.Cols/groupDepth, a.Cols%groupDepth
	for r := range l.rows {
		dst := l.v[i*l.rows*l.kp+r*groupDepth:]
		if first+r >= a.Rows {
			l.clearRow(dst)
			continue
		}
		row := a.segment(first+r, 0, a.Cols)
		if whole > 0 {
			splitRow(&dst[0], step, &row[0], whole, l.planes, 2*l.planeLen)
		}
		if rest > 0 {
			var tail [groupDepth]float32
			copy(tail[:], row[whole*groupDepth:])
			splitRow(&dst[whole*l.rows*groupDepth], step, &tail[0], 1, l.planes, 2*l.planeLen)
		}
	}
}

// clearRow makes the row that begins at dst zero, in every plane.
func (l *leftBF16) clearRow(dst []uint16) {
	for p := range l.planes {
		for g := range l.kp / groupDepth {
			clear(dst[p*l.planeLen+g*l.rows*groupDepth:][:groupDepth])
		}
	}
}

// packColumns fills 16 rows (or what is left of the panel), from r on, of panel i from a transposed
// matrix: its memory has the depth along rows.
func (l *leftBF16) packColumns(i, r int, a *Matrix) {
	var floats [groupDepth * 16]float32
	var words [3 * 16 * 32]uint16 // [plane][pair][16 words]
	first, count := i*l.rows+r, min(l.rows-r, 16)
	for g := range l.kp / groupDepth {
		k0 := g * groupDepth
		src, step := &floats[0], 64
		if k0+groupDepth <= a.Cols && first+16 <= a.Rows {
			src, step = &a.V[k0*a.Stride+first], 4*a.Stride
		} else {
			clear(floats[:])
			for k := k0; k < min(k0+groupDepth, a.Cols) && first < a.Rows; k++ {
				copy(floats[(k-k0)*16:][:16], a.V[k*a.Stride+first:k*a.Stride+min(first+16, a.Rows)])
			}
		}
		pairRows(&words[0], 64, src, step, 16, l.planes, 1024)
		dst := l.v[(i*l.kp+k0)*l.rows+r*groupDepth:]
		for p := range l.planes {
			transposeWords(&dst[p*l.planeLen], 64, 0, &words[p*512], 64, 1, count)
		}
	}
}
