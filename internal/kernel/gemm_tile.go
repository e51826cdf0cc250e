package kernel

// tile is rows × 32 sums of products: c[r][j] (+)= Σ over k, in order, of
// a[r*rowStep+k*depthStep]·b[k][j]. Row r of c begins at c[r*stride]; more says that c holds
// the sums so far. Meanwhile aheadStep bytes at a depth, from ahead on, may be fetched into the
// second-level cache.
type tile struct {
	rows, k            int
	a                  []float32
	rowStep, depthStep int
	c                  []float32
	stride             int
	cols               int // if not 0, how many columns are wanted: of no more than 16 some kernels leave out the others, which are arbitrary then
	beside             int // of int8Beside: bytes to the panel beside b
	besideC            int // and numbers to its sums
	more               bool
	ahead              uintptr
	aheadStep          int
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

// int8Beside is int8 for two panels and at most besideRows rows, b being the rest of the right operand from the first on: the second lies
// beside bytes from it, and its sums behind those of the first.
func (t *tile) int8Beside(b []int8) {
	if t.int8BesideArch(b) {
		return
	}
	u := *t
	u.int8(b[:t.k*panelCols])
	u.c = u.c[t.besideC:]
	u.int8(b[t.beside:][:t.k*panelCols])
}

// begin is row r of c, cleared unless it holds the sums so far.
func (t *tile) begin(r int) *[panelCols]float32 {
	c := (*[panelCols]float32)(t.c[r*t.stride:])
	if !t.more {
		clear(c[:])
	}
	return c
}
