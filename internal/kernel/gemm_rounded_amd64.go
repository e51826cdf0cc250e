//go:build amd64 && !noasm

package kernel

// leftArch is how a Rounded lies where bfloat16 is multiplied.
type leftArch = leftBF16

// shapeArch is shape for a product of bfloat16, and tells whether there is one.
func (r *Rounded) shapeArch() bool {
	rows := dotRows
	switch {
	case isa == AMX:
		rows = tilePanel
	case !dotBF16 || isa < AVX512:
		return false
	}
	r.left.shape(r.rows, r.cols, rows, 1)
	r.mem = regrow(r.mem, (r.left.planeLen+1)/2)
	r.left.v = asU16(r.mem)
	return true
}

// fillArch is GemmRounded where bfloat16 is multiplied; it tells whether it did.
func (r *Rounded) fillArch(a Matrix, b *Packed, ep *Epilogue) bool {
	return !r.plain && multiplyBF16(Matrix{Rows: r.rows, Cols: r.cols, Stride: r.cols}, a, nil, b, ep, r)
}

// mulArch is MulRounded where bfloat16 is multiplied.
func (r *Rounded) mulArch(c Matrix, b *Packed, ep *Epilogue) {
	multiplyBF16(c, Matrix{}, r, b, ep, nil)
}

// put rounds columns j0.. of row i; j0 is a multiple of a group's depth, and the row ends with v or v with a group.
func (r *Rounded) put(i, j0 int, v []float32) {
	l := &r.left
	dst := l.v[(i/l.rows*l.kp+j0)*l.rows+i%l.rows*groupDepth:]
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
