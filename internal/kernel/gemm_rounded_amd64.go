//go:build amd64 && !noasm

package kernel

import (
	"math"
	"unsafe"
)

// leftArch is how a Rounded lies where bfloat16 is multiplied.
type leftArch = leftBF16

// layArch decides how r lies for a product of bfloat16, and tells whether there is one.
func (r *Rounded) layArch() bool {
	rows := dotRows
	switch {
	case isa == AMX:
		rows = tilePanel
	case !dotBF16 || isa < AVX512:
		return false
	}
	r.left.shape(r.rows, r.cols, rows, 1)
	return true
}

// sizeArch is how many numbers of r.mem that takes.
func (r *Rounded) sizeArch() int { return (r.left.planeLen + 1) / 2 }

// liesArch binds r to r.mem.
func (r *Rounded) liesArch() { r.left.v = asU16(r.mem) }

// fillArch is GemmRounded, or with rounded GemmBetween, where bfloat16 is multiplied; it tells whether it did.
func fillArch(dst *Rounded, a Matrix, rounded *Rounded, b *Packed, ep *Epilogue) bool {
	return multiplyBF16(Matrix{Rows: dst.rows, Cols: dst.cols, Stride: dst.cols}, a, rounded, b, ep, dst)
}

// mulArch is MulRounded where bfloat16 is multiplied.
func mulArch(c Matrix, a *Rounded, b *Packed, ep *Epilogue) {
	multiplyBF16(c, Matrix{}, a, b, ep, nil)
}

// group is the words of row i from column j on, a multiple of a group's depth.
func (l *leftBF16) group(i, j int) []uint16 {
	panel, row := i/dotRows, i%dotRows // division by a constant is many times as fast
	if l.rows != dotRows {
		panel, row = i/l.rows, i%l.rows
	}
	return l.v[(panel*l.kp+j)*l.rows+row*groupDepth:]
}

// at is where row i of r begins; its groups of 32 lie step bytes apart.
func (r *Rounded) at(i int) unsafe.Pointer { return unsafe.Pointer(&r.left.group(i, 0)[0]) }

func (r *Rounded) step() int { return 2 * groupDepth * r.left.rows }

// sizeOfRow is how many numbers' room a row takes, with what lies between its groups.
func (r *Rounded) sizeOfRow() int { return r.left.kp * r.left.rows / 2 }

// get widens columns j0 on of row i, j0 a multiple of a group's depth.
func (r *Rounded) get(dst []float32, i, j0 int) {
	if len(dst) > 0 {
		widenRow(&dst[0], &r.left.group(i, j0)[0], r.step(), len(dst))
	}
}

// widenRow widens n columns whose groups of 32 lie fromStep bytes apart.
//
//go:noescape
func widenRow(dst *float32, from *uint16, fromStep, n int)

// roundRow is row and put in one pass, if the sums v of row i want no more than a bias, a rounded residual and ReLU; it
// tells whether they do.
func (f *finisher) roundRow(v []float32, i, j0, j1 int) bool {
	if !f.roundsRows() {
		return false
	}
	var bias *float32
	if f.bias != nil {
		bias = &f.bias[j0]
	}
	var from *uint16
	step := 0
	if f.rounded != nil {
		from, step = &f.rounded.left.group(i, j0)[0], f.rounded.step()
	}
	finishRounded(&f.to.left.group(i, j0)[0], f.to.step(), &v[0], bias, from, step, j1-j0, f.floor())
	return true
}

// roundsRows tells whether finishRounded does all that f asks for.
func (f *finisher) roundsRows() bool {
	return f.scale == nil && !f.hasPre && !f.hasGrad && !f.hasAdded && (f.act == None || f.act == ReLU && f.rounded == nil)
}

// floor is what finishRounded raises lesser results to.
func (f *finisher) floor() float32 {
	if f.positive || f.act == ReLU {
		return 0
	}
	return float32(math.Inf(-1))
}

// fetchRounded is fetch for a rounded residual.
func (f *finisher) fetchRounded(i, rows, j int) {
	v := f.rounded.left.group(i, j)
	fetchRows((*float32)(unsafe.Pointer(&v[0])), groupDepth, (min(rows, len(v)/groupDepth)+1)/2)
}

// finishRounded rounds v + bias + from, or floor where that is greater, to dst, n columns: groups of 32 lie steps of bytes apart, the
// last filled up with zeros. bias and from may be nil.
//
//go:noescape
func finishRounded(dst *uint16, dstStep int, v, bias *float32, from *uint16, fromStep, n int, floor float32)

// put rounds columns j0.. of row i; j0 is a multiple of a group's depth, and the row ends with v or v with a group.
func (r *Rounded) put(i, j0 int, v []float32) {
	l := &r.left
	dst := l.group(i, j0)
	whole, rest := len(v)/groupDepth, len(v)%groupDepth
	if whole > 0 {
		splitRow(&dst[0], l.rows*2*groupDepth, &v[0], whole, 1, 0)
	}
	if rest > 0 {
		var tail [groupDepth]float32
		copy(tail[:], v[whole*groupDepth:])
		splitRow(&dst[whole*l.rows*groupDepth], 0, &tail[0], 1, 1, 0)
	}
}
