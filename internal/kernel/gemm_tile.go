package kernel

// tile is rows × 32 sums of products: c[r][j] (+)= Σ over k, in order, of
// a[r*rowStep+k*depthStep]·b[k][j]. Row r of c begins at c[r*stride]; more says that c holds
// the sums so far.
type tile struct {
	rows, k            int
	a                  []float32
	rowStep, depthStep int
	c                  []float32
	stride             int
	more               bool

	ahead, aheadStep uintptr // what assembly fetches meanwhile: an address and how far it moves at each depth
}

// f32 takes b as [k][32]float32.
func (t *tile) f32(b []float32) {
	if t.f32Arch(b) {
		return
	}
	for r := range t.rows {
		c := t.begin(r)
		for k := range t.k {
			x := t.a[r*t.rowStep+k*t.depthStep]
			for j, y := range b[k*panelCols : (k+1)*panelCols] {
				c[j] += x * y
			}
		}
	}
}

// pairs takes b as [k/2][32][2] bfloat16, with half a pair at the end if k is odd.
func (t *tile) pairs(b []uint16) {
	if t.pairsArch(b) {
		return
	}
	var wide [panelCols]float32
	for r := range t.rows {
		c := t.begin(r)
		for k := range t.k {
			x := t.a[r*t.rowStep+k*t.depthStep]
			pair := b[k>>1*2*panelCols:]
			for j := range wide {
				wide[j] = f32OfBF16(pair[2*j+k&1])
			}
			for j, y := range wide {
				c[j] += x * y
			}
		}
	}
}

// int8 takes b as [k][32]int8 and leaves out its scales.
func (t *tile) int8(b []int8) {
	if t.int8Arch(b) {
		return
	}
	for r := range t.rows {
		c := t.begin(r)
		for k := range t.k {
			x := t.a[r*t.rowStep+k*t.depthStep]
			for j, y := range b[k*panelCols : (k+1)*panelCols] {
				c[j] += x * float32(y)
			}
		}
	}
}

// begin is row r of c, cleared unless it holds the sums so far.
func (t *tile) begin(r int) *[panelCols]float32 {
	c := (*[panelCols]float32)(t.c[r*t.stride:])
	if !t.more {
		clear(c[:])
	}
	return c
}

// packLeft copies rows i0 to i1, columns k0 to k0+kn of a: as rows end to end or, if a is transposed,
// as tiles of mr rows with the rows of a tile side by side, [tile][kn][mr].
func packLeft(dst []float32, a *Matrix, i0, i1, k0, kn, mr int) {
	if !a.Trans {
		for i := i0; i < i1; i++ {
			copy(dst[(i-i0)*kn:(i-i0+1)*kn], a.segment(i, k0, k0+kn))
		}
		return
	}
	for i := i0; i < i1; i += mr {
		rows := min(mr, i1-i)
		d := dst[(i-i0)*kn:][:rows*kn]
		if packLeftArch(d, a, i, k0, kn, rows) {
			continue
		}
		for k := range kn {
			copy(d[k*rows:(k+1)*rows], a.V[(k0+k)*a.Stride+i:])
		}
	}
}

// takePlane replaces every x by bfloat16 plane q of x.
func takePlane(x []float32, q int) {
	if takePlaneArch(x, q) {
		return
	}
	for i, v := range x {
		for range q {
			v -= roundBF16(v)
		}
		x[i] = roundBF16(v)
	}
}

// widenPairs is dst [n][32] float32 from [⌈n/2⌉][32][2] bfloat16.
func widenPairs(dst []float32, b []uint16) {
	if widenPairsArch(dst, b) {
		return
	}
	for i := range dst {
		dst[i] = f32OfBF16(b[i>>6<<6|i&31<<1|i>>5&1])
	}
}

// widenInt8 is dst [n][32] float32 from [n][32] int8.
func widenInt8(dst []float32, b []int8) {
	if widenInt8Arch(dst, b) {
		return
	}
	for i := range dst {
		dst[i] = float32(b[i])
	}
}
