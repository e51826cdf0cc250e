package kernel

import (
	"unsafe"

	"github.com/clipcap-go/clipcap/internal/half"
)

// Activation is a function applied to every element.
type Activation int

// The activations; Act gives their formulas.
const (
	None Activation = iota
	GELUTanh
	QuickGELU
	GELUErf
	ReLU
	Tanh
)

// Epilogue is what happens to the sums of a product on their way to c, while they are in the cache:
//
//	v = a·b + Bias;  Pre = v;  v = Act(v)·GradOf′(GradPre) + Residual;  c = max(v, 0) if Positive, else v
//
// Every part may be missing. The matrices have the shape of c and are not transposed.
type Epilogue struct {
	Bias     []float32  // [n]
	Act      Activation //
	Pre      *Matrix    // receives the value before Act, for the backward pass
	GradOf   Activation // with GradPre: the backward pass of Linear and activation in one
	GradPre  *Matrix
	Residual *Matrix  // may be c itself, and so may GradPre: c += a·b
	Rounded  *Rounded // a Residual that is kept rounded; may be the product's result
	Positive bool     // ReLU of it all

	// Pre and GradPre may be in bfloat16 instead, but not those of a convolution. Act is taken of the value before it is rounded.
	PreRounded, GradPreRounded *RoundedMatrix
	// Result receives what c would, rounded; of c only the shape counts then. Not of a convolution either.
	Result *RoundedMatrix
}

// finisher is an Epilogue by value, so that a caller's need not live on the heap.
type finisher struct {
	scale, bias               []float32
	act, gradOf               Activation
	pre, gradPre, residual    Matrix
	preRounded, gradRounded   RoundedMatrix // in their place, if V is not nil
	hasPre, hasGrad, hasAdded bool
	positive                  bool
	rounded                   *Rounded      // a residual in another form, if not nil
	to                        *Rounded      // where the result goes instead of c, if not nil
	toRows                    RoundedMatrix // likewise, if V is not nil
}

// from sets f to what ep, which may be nil, asks for after a product with b.
func (f *finisher) from(ep *Epilogue, b *Packed) {
	*f = finisher{}
	if b != nil && b.format == Int8 {
		f.scale = b.scale
	}
	if ep == nil {
		return
	}
	f.bias, f.act, f.gradOf, f.positive = ep.Bias, ep.Act, ep.GradOf, ep.Positive
	if ep.Pre != nil {
		f.pre, f.hasPre = *ep.Pre, true
	}
	if ep.PreRounded != nil {
		f.preRounded, f.hasPre = *ep.PreRounded, true
	}
	if ep.GradPre != nil {
		f.gradPre, f.hasGrad = *ep.GradPre, true
	}
	if ep.GradPreRounded != nil {
		f.gradRounded, f.hasGrad = *ep.GradPreRounded, true
	}
	if ep.Residual != nil {
		f.residual, f.hasAdded = *ep.Residual, true
	}
	if ep.Result != nil {
		f.toRows = *ep.Result
	}
	if r := ep.Rounded; r != nil && r.plain {
		f.residual, f.hasAdded = r.matrix(), true
	} else {
		f.rounded = r
	}
}

// overlaps tells whether sums must not be kept in c: its memory is also an input of f, or c has none.
func (f *finisher) overlaps(c *Matrix) bool {
	return f.elsewhere() || f.hasGrad && share(c.V, f.gradPre.V) || f.hasAdded && share(c.V, f.residual.V)
}

// share tells whether two slices have memory in common.
func share(a, b []float32) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	p, q := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return p < q+4*uintptr(len(b)) && q < p+4*uintptr(len(a))
}

// elsewhere tells whether the result does not go to c.
func (f *finisher) elsewhere() bool { return f.to != nil || f.toRows.V != nil }

// idle tells whether there is nothing to do when the sums are in c already.
func (f *finisher) idle() bool {
	return !f.elsewhere() && f.scale == nil && f.bias == nil && f.act == None && !f.hasPre && !f.hasGrad && !f.hasAdded && f.rounded == nil && !f.positive
}

// fetch has the processor fetch what rows will read of a tile's rows from i on and of the panel of columns from j on,
// while the tile's sums are formed.
func (f *finisher) fetch(i, rows, j int) {
	switch {
	case f.gradRounded.V != nil:
		fetchRows((*float32)(unsafe.Pointer(&f.gradRounded.V[i*f.gradRounded.Stride+j])), f.gradRounded.Stride/2, rows)
	case f.hasGrad:
		fetchRows(&f.gradPre.V[i*f.gradPre.Stride+j], f.gradPre.Stride, rows)
	}
	if f.hasAdded {
		fetchRows(&f.residual.V[i*f.residual.Stride+j], f.residual.Stride, rows)
	}
	if f.rounded != nil {
		f.fetchRounded(i, rows, j)
	}
}

// rows turns the sums of rows i0 to i1, columns j0 to j1, into c's. Row i of the sums begins at
// sum[(i-i0)*stride]; they may lie in c, and are used up.
func (f *finisher) rows(sum []float32, stride int, c *Matrix, i0, i1, j0, j1 int) {
	if f.idle() && &sum[0] == &c.V[i0*c.Stride+j0] {
		return
	}
	for i := i0; i < i1; i++ {
		v := sum[(i-i0)*stride:][:j1-j0]
		switch {
		case f.toRows.V != nil:
			f.row(v, v, i, j0, j1)
			half.NarrowBF16(f.toRows.segment(i, j0, j1), v)
		case f.to == nil:
			f.row(c.segment(i, j0, j1), v, i, j0, j1)
		case !f.roundRow(v, i, j0, j1):
			f.row(v, v, i, j0, j1)
			f.to.put(i, j0, v)
		}
	}
}

// block is rows for sums that do not lie in c.
func (f *finisher) block(sum []float32, stride int, c *Matrix, i0, i1, j0, j1 int) {
	if !f.blockArch(sum, stride, c, i0, i1, j0, j1) {
		f.rows(sum, stride, c, i0, i1, j0, j1)
	}
}

// row turns the sums v of row i, columns j0 to j1, into out, which may be v. Whatever comes last writes to out.
func (f *finisher) row(out, v []float32, i, j0, j1 int) {
	if f.joins() {
		joinRow(out, v, f.bias[j0:j1], f.residual.segment(i, j0, j1), f.positive)
		return
	}
	sums := v
	last := func(more bool) []float32 {
		if more {
			return sums
		}
		return out
	}
	if f.scale != nil {
		mulSubRow(v, f.scale[j0:j1], v, 0)
	}
	if f.bias != nil {
		dst := last(f.hasPre || f.act != None || f.hasGrad || f.hasAdded || f.rounded != nil)
		if f.pre.V != nil && f.act != None { // which is taken of it where it lies
			dst = f.pre.segment(i, j0, j1)
		}
		addRows(dst, v, f.bias[j0:j1])
		v = dst
	}
	switch {
	case f.preRounded.V != nil:
		half.NarrowBF16(f.preRounded.segment(i, j0, j1), v)
	case f.hasPre && (f.bias == nil || f.act == None):
		copy(f.pre.segment(i, j0, j1), v)
	}
	if f.act != None {
		dst := last(f.hasGrad || f.hasAdded || f.rounded != nil)
		actRow(dst, v, f.act)
		v = dst
	}
	if f.hasGrad {
		dst := last(f.hasAdded || f.rounded != nil)
		f.gradRow(dst, v, i, j0, j1)
		v = dst
	}
	switch {
	case f.hasAdded:
		addRows(out, v, f.residual.segment(i, j0, j1))
	case f.rounded != nil:
		wide := scratch.get(j1 - j0)
		f.rounded.get(wide, i, j0)
		addRows(out, v, wide)
		scratch.put(wide)
	case &out[0] != &v[0]:
		copy(out, v)
	}
	if f.positive {
		actRow(out, out, ReLU)
	}
}

// gradRow is dst = v·GradOf′ for columns j0 to j1 of row i.
func (f *finisher) gradRow(dst, v []float32, i, j0, j1 int) {
	if f.gradRounded.V == nil {
		actGradRow(dst, v, f.gradPre.segment(i, j0, j1), f.gradOf)
		return
	}
	var wide [256]float32
	for ; j0 < j1; j0 += len(wide) {
		n := min(len(wide), j1-j0)
		pre := wide[:n]
		half.WidenBF16(pre, f.gradRounded.segment(i, j0, j0+n))
		actGradRow(dst[:n], v[:n], pre, f.gradOf)
		dst, v = dst[n:], v[n:]
	}
}

// joins tells whether a bias and a residual are all there is to add, which takes one pass.
func (f *finisher) joins() bool {
	return f.rounded == nil && f.bias != nil && f.hasAdded && f.scale == nil && f.act == None && !f.hasPre && !f.hasGrad
}

// addRows is dst = a + b.
func addRows(dst, a, b []float32) { addRow(dst, a[:len(dst)], b) }
