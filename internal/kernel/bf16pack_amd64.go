//go:build amd64 && !noasm

package kernel

// Steps and strides of these functions are bytes. A "group" is 32 deep: 64 bytes of bfloat16.

// Splits 32*groups floats of a row into planes: src ≈ the sum of the planes, each bfloat16, the
// first being src rounded, and subnormals zero. Group g of plane p goes to dst + g*dstStep + p*planeStep.
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

const (
	groupDepth = 32
	pairWords  = 16 * 32 // 16-bit words of 16 columns of a group
)

// leftBF16 is a left operand cut into panels of rows rows: v is [plane][panel][k/32][rows][32], padded
// with zeros in depth; rows beyond the operand's are arbitrary. It is what VDPBF16PS broadcasts from
// (rows = 14) and AMX loads as tiles (rows = 32).
type leftBF16 struct {
	v                []uint16
	rows, kp, planes int
	panels, planeLen int
}

// at is the start of group g of panel i.
func (l *leftBF16) at(i, g int) *uint16 { return &l.v[(i*l.kp+g*groupDepth)*l.rows] }

// pack fills panels i0 to i1 from a.
func (l *leftBF16) pack(i0, i1 int, a *Matrix) {
	if a.Trans {
		// Line by line of a's memory, as far as the panels reach.
		buf := scratch.get(l.planes * pairWords / 2)
		words := asU16(buf)
		for g := range l.kp / groupDepth {
			for i := i0; i < i1; i++ {
				for r := 0; r < min(l.rows, a.Rows-i*l.rows); r += 16 {
					l.packColumns(i, r, g, a, words)
				}
			}
		}
		scratch.put(buf)
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

// packColumns fills group g of 16 rows (or what is left of the panel), from r on, of panel i from a transposed
// matrix: its memory has the depth along rows. words is memory for [plane][pair][16] words.
func (l *leftBF16) packColumns(i, r, g int, a *Matrix, words []uint16) {
	first, count, k0 := i*l.rows+r, min(l.rows-r, 16), g*groupDepth
	src, step := (*float32)(nil), 4*a.Stride
	if k0+groupDepth <= a.Cols && first+16 <= a.Rows {
		src = &a.V[k0*a.Stride+first]
	} else {
		var floats [groupDepth * 16]float32
		src, step = &floats[0], 64
		for k := k0; k < min(k0+groupDepth, a.Cols); k++ {
			copy(floats[(k-k0)*16:][:16], a.V[k*a.Stride+first:k*a.Stride+min(first+16, a.Rows)])
		}
	}
	pairRows(&words[0], 64, src, step, 16, l.planes, 2*pairWords)
	dst := l.v[(i*l.kp+k0)*l.rows+r*groupDepth:]
	for p := range l.planes {
		transposeWords(&dst[p*l.planeLen], 64, 0, &words[p*pairWords], 64, 1, count)
	}
}
