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
// dst, [panel][hd][32]. block is memory for the last rows of a block, attnTransposeMost·hd elements.
func attnPackT(dst, src []float32, ld, at, n, hd int, block []float32) {
	quads := 0
	if rows := attnTransposeRows(); rows > 0 && hd >= 4 {
		quads = hd &^ 3
		for r := 0; r < n; {
			c := at + r
			some := min(rows, n-r, panelCols-c%panelCols)
			from, step := src[r*ld:], ld
			if some < rows {
				attnCopyRows(block, quads, from, ld, some, quads, nil)
				from, step = block, quads
			}
			attnTransposeArch(dst[c/panelCols*panelCols*hd+c%panelCols:], from, step, quads, some)
			r += some
		}
	}
	if quads == hd {
		return
	}
	for r := range n {
		c := at + r
		to := dst[(c/panelCols*hd+quads)*panelCols+c%panelCols:]
		for d, x := range src[r*ld+quads : r*ld+hd] {
			to[d*panelCols] = x
		}
	}
}

// attnTransposeMost is the most rows a transpose does at once.
const attnTransposeMost = 16

// attnCopyRows copies m rows of hd elements, from lds apart in src to ldd apart in dst, row r times
// factor[r] if there are factors.
func attnCopyRows(dst []float32, ldd int, src []float32, lds, m, hd int, factor []float32) {
	if m == 0 {
		return
	}
	_, _ = dst[(m-1)*ldd+hd-1], src[(m-1)*lds+hd-1]
	if factor != nil {
		factor = factor[:m]
	}
	if attnCopyRowsArch(dst, ldd, src, lds, m, hd, factor) {
		return
	}
	for r := range m {
		to, from := dst[r*ldd:r*ldd+hd], src[r*lds:r*lds+hd]
		if factor == nil {
			copy(to, from)
			continue
		}
		for d, x := range from {
			to[d] = x * factor[r]
		}
	}
}

// attnProduct is c[i][j] (+)= Σ a[i·rowStep + k·depthStep]·b[j/32·panelStep + k·ldb + j%32] over k up to depth,
// for rows i, ldc apart in c, and halves·16 columns j. The sum is one chain in ascending k, beginning
// with c if more is set, whatever other rows there are.
type attnProduct struct {
	c                   []float32
	ldc                 int
	a                   []float32
	rowStep, depthStep  int
	b                   []float32
	ldb, panelStep      int
	rows, depth, halves int
	more                bool
}

// attnHalf is the number of columns a product counts in.
const attnHalf = panelCols / 2

func (p *attnProduct) run() {
	if p.rows <= 0 || p.halves <= 0 {
		return
	}
	if p.depth == 0 {
		for i := 0; i < p.rows && !p.more; i++ {
			clear(p.c[i*p.ldc : i*p.ldc+p.halves*attnHalf])
		}
		return
	}
	last := p.halves - 1
	_, _ = p.c[(p.rows-1)*p.ldc+p.halves*attnHalf-1], p.a[(p.rows-1)*p.rowStep+(p.depth-1)*p.depthStep]
	_ = p.b[last/2*p.panelStep+(p.depth-1)*p.ldb+last%2*attnHalf+attnHalf-1]
	block := *p
	blocks := (p.rows + attnBlockRows() - 1) / attnBlockRows()
	for i, n := 0, 0; n < blocks; n++ {
		block.rows = (p.rows - i) / (blocks - n)
		block.a, block.c = p.a[i*p.rowStep:], p.c[i*p.ldc:]
		block.block()
		i += block.rows
	}
}

// block does at most attnBlockRows rows.
func (p *attnProduct) block() {
	if p.blockArch() {
		return
	}
	for i := range p.rows {
		for h := range p.halves {
			c := (*[attnHalf]float32)(p.c[i*p.ldc+h*attnHalf:])
			if !p.more {
				clear(c[:])
			}
			b := p.b[h/2*p.panelStep+h%2*attnHalf:]
			for k := range p.depth {
				x := p.a[i*p.rowStep+k*p.depthStep]
				for j, y := range b[k*p.ldb : k*p.ldb+attnHalf] {
					c[j] += x * y
				}
			}
		}
	}
}

// attnSoftmax turns m rows of scaled scores, ld apart, into exp(score - max) with max the largest score
// of the row so far, zero where a row does not see; sum becomes sum·corr + Σ, with
// corr = exp(old max - max). A row may be written up to a whole vector.
func attnSoftmax(s []float32, ld, m int, see attnRow, st *attnStats) {
	part := st.part[:m]
	copy(st.corr, st.max[:m])
	attnExp(s, ld, m, see, st.max, part)
	for r, sum := range part {
		old := st.corr[r]
		st.corr[r] = 1
		if st.max[r] != old && st.sum[r] != 0 {
			st.corr[r] = exp32(old - st.max[r])
		}
		st.sum[r] = st.sum[r]*st.corr[r] + sum
	}
}

// attnExp is attnSoftmax without corrections: top becomes the largest score so far, sum the sum of the
// tile alone.
func attnExp(s []float32, ld, m int, see attnRow, top, sum []float32) {
	if attnExpArch(s[:(m-1)*ld+roundUp(see.width, attnHalf)], ld, m, see, top, sum) {
		return
	}
	for r := range m {
		row := s[r*ld : r*ld+see.width]
		n := max(see.at(r), 0)
		high, total := top[r], float32(0)
		for _, x := range row[:n] {
			high = max(high, x)
		}
		for i, x := range row[:n] {
			row[i] = exp32(x - high)
			total += row[i]
		}
		clear(row[n:])
		top[r], sum[r] = high, total
	}
}

// attnScoreGrad turns m rows of scaled scores s and of dout·v in d, both ld apart, into the weights
// P = exp(s - lse) and P·(d - dot); both are zero where a row does not see. A row may be written up to
// a whole vector.
func attnScoreGrad(s, d []float32, ld, m int, see attnRow, st *attnStats) {
	end := (m-1)*ld + roundUp(see.width, attnHalf)
	if attnScoreGradArch(s[:end], d[:end], ld, m, see, st.lse, st.dot) {
		return
	}
	for r := range m {
		n := max(see.at(r), 0)
		p, g := s[r*ld:][:see.width], d[r*ld:][:see.width]
		for i, x := range p[:n] {
			p[i] = exp32(x - st.lse[r])
			g[i] = p[i] * (g[i] - st.dot[r])
		}
		clear(p[n:])
		clear(g[n:])
	}
}

// attnCenter turns m rows of d = P·(dout·v) into d - P·Σd, P being in s: where a row sees all its keys at once, Σd is dout·out.
func attnCenter(s, d []float32, ld, m int, see attnRow) {
	if attnCenterArch(s, d, ld, m, see) {
		return
	}
	for r := range m {
		n := max(see.at(r), 0)
		sum := float32(0)
		for _, x := range d[r*ld:][:n] {
			sum += x
		}
		for i, p := range s[r*ld:][:n] {
			d[r*ld+i] -= p * sum
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
