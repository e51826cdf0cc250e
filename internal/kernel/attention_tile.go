package kernel

import "math"

// The parts attention is made of, on tiles and packed operands. Each has an assembly form that
// computes the same, a row's arithmetic being the same whatever rows are beside it.

var negInf = float32(math.Inf(-1))

// attnRow says what the rows of a tile see of its width columns: row r the first n + r·slope of
// them, cut to 0…width.
type attnRow struct{ n, slope, width int }

func (a attnRow) at(r int) int { return min(a.n+r*a.slope, a.width) }

// first is the first row that sees column k, which some row does.
func (a attnRow) first(k int) int {
	if a.slope == 0 {
		return 0
	}
	return max(k+1-a.n, 0)
}

// attnPackT packs n rows of hd elements, ld apart in src, across: row r becomes column at+r of
// dst, [panel][hd][32].
func attnPackT(dst, src []float32, ld, at, n, hd int) {
	if attnPackTArch(dst, src, ld, at, n, hd) {
		return
	}
	for r := range n {
		c := at + r
		to := dst[c/panelCols*panelCols*hd+c%panelCols:]
		for d, x := range src[r*ld : r*ld+hd] {
			to[d*panelCols] = x
		}
	}
}

// attnPackRows packs n rows of hd elements, ld apart in src, as rows at… of dst, [panel of hd][rows][32].
// What lies behind hd in the last panel is arbitrary.
func attnPackRows(dst []float32, rows int, src []float32, ld, at, n, hd int) {
	if attnPackRowsArch(dst, rows, src, ld, at, n, hd) {
		return
	}
	for r := range n {
		for d := 0; d < hd; d += panelCols {
			copy(dst[(d/panelCols*rows+at+r)*panelCols:][:panelCols], src[r*ld+d:r*ld+min(d+panelCols, hd)])
		}
	}
}

// attnPutRows writes m rows of hd elements, from wide apart in src to ld apart in dst, row r times
// factor[r] if there are factors.
func attnPutRows(dst []float32, ld int, src []float32, wide, m, hd int, factor []float32) {
	if attnPutRowsArch(dst, ld, src, wide, m, hd, factor) {
		return
	}
	for r := range m {
		f := float32(1)
		if factor != nil {
			f = factor[r]
		}
		to := dst[r*ld : r*ld+hd]
		for d, x := range src[r*wide : r*wide+hd] {
			to[d] = x * f
		}
	}
}

// attnMul is c[i][p·32+l] (+)= Σ_k a[i][k]·b[p][k][l] for m rows, k up to depth and whole panels;
// rows of c are ldc apart, of a lda, panels of b step. The sum is one chain in ascending k.
func attnMul(c []float32, ldc int, a []float32, lda int, b []float32, step, m, depth, panels int, add bool) {
	attnProduct(tile{k: depth, a: a, rowStep: lda, depthStep: 1, c: c, stride: ldc, more: add}, b, step, m, panels)
}

// attnMulT is c[i][p·32+l] += Σ_k a[k][i]·b[p][k][l], otherwise as attnMul.
func attnMulT(c []float32, ldc int, a []float32, lda int, b []float32, step, m, depth, panels int) {
	attnProduct(tile{k: depth, a: a, rowStep: 1, depthStep: lda, c: c, stride: ldc, more: true}, b, step, m, panels)
}

// attnProduct runs t over m rows, in even blocks, and over the panels of b.
func attnProduct(t tile, b []float32, step, m, panels int) {
	if t.k == 0 {
		for i := 0; i < m && !t.more; i++ {
			clear(t.c[i*t.stride : i*t.stride+panels*panelCols])
		}
		return
	}
	a, c := t.a, t.c
	blocks := (m + tileRows() - 1) / tileRows()
	for i, block := 0, 0; block < blocks; block++ {
		t.rows = (m - i) / (blocks - block)
		t.a = a[i*t.rowStep:]
		for p := range panels {
			t.c = c[i*t.stride+p*panelCols:]
			t.f32(b[p*step:][:t.k*panelCols])
		}
		i += t.rows
	}
}

// attnSoftmax turns m rows of scores, attnKeys apart, into exp(scale·score - max) with max the
// largest scaled score of the row so far, zero where a row does not see; sum becomes sum·corr + Σ,
// with corr = exp(old max - max).
func attnSoftmax(s []float32, m int, see attnRow, scale float32, st *attnStats) {
	if attnSoftmaxArch(s, m, see, scale, st) {
		return
	}
	for r := range m {
		row := s[r*attnKeys : r*attnKeys+see.width]
		n := max(see.at(r), 0)
		old, top := st.max[r], st.max[r]
		for _, x := range row[:n] {
			top = max(top, x*scale)
		}
		sum := float32(0)
		for i, x := range row[:n] {
			row[i] = exp32(x*scale - top)
			sum += row[i]
		}
		clear(row[n:])
		st.corr[r] = 1
		if top != old {
			st.corr[r] = exp32(old - top)
		}
		st.max[r], st.sum[r] = top, st.sum[r]*st.corr[r]+sum
	}
}

// attnScoreGrad turns m rows of scores s and of dout·v in d, both attnGradKeys apart, into the weights
// P = exp(scale·s - lse) and the gradients P·(d - dot)·scale; both are zero where a row does not see.
func attnScoreGrad(s, d []float32, m int, see attnRow, scale float32, st *attnStats) {
	if attnScoreGradArch(s, d, m, see, scale, st) {
		return
	}
	for r := range m {
		n := max(see.at(r), 0)
		p, g := s[r*attnGradKeys:][:see.width], d[r*attnGradKeys:][:see.width]
		for i, x := range p[:n] {
			p[i] = exp32(x*scale - st.lse[r])
			g[i] = p[i] * (g[i] - st.dot[r]) * scale
		}
		clear(p[n:])
		clear(g[n:])
	}
}

// attnScaleRows multiplies row r of x, m rows of wide elements, by f[r].
func attnScaleRows(x []float32, wide, m int, f []float32) {
	for r := range m {
		row := x[r*wide : (r+1)*wide]
		for i := range row {
			row[i] *= f[r]
		}
	}
}

// attnDots sets dot[r] to the product of rows r of a and b, of hd elements.
func attnDots(dot, a []float32, lda int, b []float32, ldb, m, hd int) {
	if attnDotsArch(dot, a, lda, b, ldb, m, hd) {
		return
	}
	for r := range m {
		sum := float32(0)
		y := b[r*ldb : r*ldb+hd]
		for i, x := range a[r*lda : r*lda+hd] {
			sum += x * y[i]
		}
		dot[r] = sum
	}
}

// attnLog is the natural logarithm of a positive normal x to float32's precision, -Inf for 0.
func attnLog(x float32) float32 { return float32(math.Log(float64(x))) }
