package kernel

import (
	"unsafe"

	"github.com/clipcap-go/clipcap/internal/half"
)

// attnTask is one worker's view of a job: the head in hand and the working memory.
type attnTask struct {
	*attnJob
	head  int
	above int // keys of the parent, in front of the sequence's own

	// packed operands, of all the keys the sequence in hand sees
	keysT, valuesT      []float32 // [key panel][hd][32]: the rows across, for q·Kᵀ and dout·Vᵀ
	keyRows, valueRows  []float32 // [keys][wide]
	block               []float32 // of attnPackT
	queryRows, doutRows []float32 // [tileRows][wide], the queries times scale
	scores, grads       []float32 // tiles [tileRows][tileKeys]
	result              []float32 // [tileRows][wide]
	widened             []float32 // [keys][wide], of rounded keys or values that are packed across alone
	keySum, valueSum    []float32 // [keys][wide], the gradients so far
	scales              []float32 // [tileRows] times scale
	stats               attnStats
	center              bool // backward: the tile's dout·out comes of the scores' gradients
}

// attnStats are numbers a row of a tile: of the softmax so far, or what the backward pass needs.
type attnStats struct {
	max, sum, corr []float32 // forward: largest scaled score, Σ exp, and the factor for what was summed before
	part           []float32 // forward: Σ exp of the keys in hand
	lse, dot       []float32 // backward: lse and dout·out
}

// init lends t memory for job j; the caller gives it back to scratch.
func (t *attnTask) init(j *attnJob) (memory []float32) {
	t.attnJob = j
	keys := roundUp(max(j.groups.keys, 1), panelCols)
	across, packed, tile := keys*j.hd, keys*j.wide, j.tileRows*j.wide
	rows := roundUp(j.tileRows, attnHalf)
	n := across + packed + attnTransposeMost*j.hd + 2*tile + j.tileRows*attnKeys + 5*rows
	if j.grad {
		n = 2*across + 3*packed + attnTransposeMost*j.hd + 3*tile + 2*j.tileRows*attnGradKeys + 3*rows
	}
	if j.rounded {
		n += packed
	}
	memory = scratch.get(n + 17*cacheLine/4)
	rest := memory
	cut := func(n int) []float32 { // each begins on a cache line
		v := rest[:n:n]
		rest = rest[roundUp(n, cacheLine/4):]
		return v
	}
	t.keysT, t.block = cut(across), cut(attnTransposeMost*j.hd)
	t.queryRows, t.result = cut(tile), cut(tile)
	t.scales = cut(rows)[:j.tileRows]
	for i := range t.scales {
		t.scales[i] = j.scale
	}
	if j.rounded {
		t.widened = cut(packed)
	}
	if !j.grad {
		t.valueRows, t.scores = cut(packed), cut(j.tileRows*attnKeys)
		t.stats = attnStats{max: cut(rows), sum: cut(rows), corr: cut(rows), part: cut(rows)}
		return memory
	}
	t.valuesT, t.keyRows, t.keySum, t.valueSum = cut(across), cut(packed), cut(packed), cut(packed)
	t.scores, t.grads = cut(j.tileRows*attnGradKeys), cut(j.tileRows*attnGradKeys)
	t.doutRows = cut(tile)
	t.stats = attnStats{lse: cut(rows), dot: cut(rows)}
	return memory
}

// group does one head of a parent and its children, or of a single sequence.
func (t *attnTask) group(members []int32) {
	root := int(members[0])
	t.above = 0
	first, n := t.ks.rows(root)
	t.pack(first, n)
	t.sequence(root, n)
	t.above = n
	for _, s := range members[1:] {
		first, own := t.ks.rows(int(s))
		t.pack(first, own)
		t.sequence(int(s), own)
		if t.grad {
			t.putKeys(first, t.above, own)
		}
	}
	if t.grad {
		t.putKeys(first, 0, n)
	}
}

// pack adds n keys and values, from row first of k and v on, behind the parent's.
func (t *attnTask) pack(first, n int) {
	from, to := t.above*t.wide, (t.above+n)*t.wide
	if t.grad {
		clear(t.keySum[from:to])
		clear(t.valueSum[from:to])
	}
	if t.rounded {
		t.packRounded(first, n, from)
		return
	}
	keys, values := t.columns(&t.k, first, n), t.columns(&t.v, first, n)
	attnPackT(t.keysT, keys, t.k.Stride, t.above, n, t.hd, t.block)
	if !t.grad {
		attnCopyRows(t.valueRows[from:], t.wide, values, t.v.Stride, n, t.hd, nil)
		return
	}
	attnPackT(t.valuesT, values, t.v.Stride, t.above, n, t.hd, t.block)
	attnCopyRows(t.keyRows[from:], t.wide, keys, t.k.Stride, n, t.hd, nil)
}

// packRounded is pack of keys and values in bfloat16.
func (t *attnTask) packRounded(first, n, from int) {
	keys, values := t.widened, t.widened // one after the other
	if t.grad {
		keys = t.keyRows[from:]
	} else {
		values = t.valueRows[from:]
	}
	t.widen(keys, &t.roundK, first, n)
	attnPackT(t.keysT, keys, t.wide, t.above, n, t.hd, t.block)
	t.widen(values, &t.roundV, first, n)
	if t.grad {
		attnPackT(t.valuesT, values, t.wide, t.above, n, t.hd, t.block)
	}
}

// widen is the head's part of n rows of m in dst, [n][wide]; the next head's is being fetched, without which this takes half as long again.
func (t *attnTask) widen(dst []float32, m *RoundedMatrix, first, n int) {
	at := t.head * t.hd
	for r := range n {
		half.WidenBF16(dst[r*t.wide:], m.segment(first+r, at, at+t.hd))
	}
	if next := at + t.hd; n > 0 && next+t.hd <= m.Cols {
		fetchRows((*float32)(unsafe.Pointer(&m.V[first*m.Stride+next])), m.Stride/2, n)
	}
}

// queries brings m queries, from row first of q on, times scale, into queryRows.
func (t *attnTask) queries(first, m int) {
	if t.rounded {
		t.widen(t.queryRows, &t.roundQ, first, m)
		attnCopyRows(t.queryRows, t.wide, t.queryRows, t.wide, m, t.hd, t.scales)
		return
	}
	attnCopyRows(t.queryRows, t.wide, t.columns(&t.q, first, m), t.q.Stride, m, t.hd, t.scales)
}

// columns is the head's part of n rows of m: hd elements at every multiple of m's stride, and
// nothing behind the last.
func (t *attnTask) columns(m *Matrix, first, n int) []float32 {
	if n == 0 {
		return nil
	}
	at := first*m.Stride + t.head*t.hd
	end := at + (n-1)*m.Stride + t.hd
	return m.V[at:end:end]
}

// sees is how many keys query i of a sequence with own keys sees.
func (t *attnTask) sees(i, own int) int {
	if t.causal {
		own = min(own, i+1)
	}
	return t.above + own
}

// slope is by how much sees rises from one query to the next, up to its limit.
func (t *attnTask) slope() int {
	if t.causal {
		return 1
	}
	return 0
}

// sequence does the queries of sequence s, whose keys are packed, own of them its own.
func (t *attnTask) sequence(s, own int) {
	first, n := t.qs.rows(s)
	if n == 0 {
		return
	}
	tiles := (n + t.tileRows - 1) / t.tileRows
	step := (n + tiles - 1) / tiles
	for i := 0; i < n; i += step {
		if t.grad {
			t.gradTile(first, i, min(step, n-i), own)
		} else {
			t.forwardTile(first, i, min(step, n-i), own)
		}
	}
}

// forwardTile does queries i to i+m of the sequence at row first.
func (t *attnTask) forwardTile(first, i, m, own int) {
	total := t.sees(i+m-1, own)
	t.queries(first+i, m)
	for r := range m {
		t.stats.max[r], t.stats.sum[r] = negInf, 0
	}
	for k0 := 0; k0 < total; k0 += attnKeys {
		n := min(attnKeys, total-k0)
		t.scoring(t.scores, attnKeys, t.queryRows, t.keysT, m, k0, n)
		attnSoftmax(t.scores, attnKeys, m, attnRow{t.sees(i, own) - k0, t.slope(), n}, &t.stats)
		if t.p > 0 {
			t.drop(t.scores, attnKeys, first+i, m, k0, n)
		}
		if k0 > 0 {
			attnCopyRows(t.result, t.wide, t.result, t.wide, m, t.wide, t.stats.corr)
		}
		t.mixing(t.result, t.scores, attnKeys, t.valueRows[k0*t.wide:], m, n, k0 > 0)
	}
	if total == 0 {
		clear(t.result[:m*t.wide])
	}
	t.finish(first+i, m)
}

// scoring sets m rows of s, ld apart, to the products of rows, [m][wide], with n columns of across, from k0
// on.
func (t *attnTask) scoring(s []float32, ld int, rows, across []float32, m, k0, n int) {
	p := attnProduct{c: s, ldc: ld, a: rows, rowStep: t.wide, depthStep: 1,
		b: across[k0*t.hd:], ldb: panelCols, panelStep: t.hd * panelCols,
		rows: m, depth: t.hd, halves: (n + attnHalf - 1) / attnHalf}
	p.run()
}

// mixing sets, or with more adds to, m rows of sum, [m][wide], the first n of rows times their weights w,
// ld apart.
func (t *attnTask) mixing(sum, w []float32, ld int, rows []float32, m, n int, more bool) {
	p := attnProduct{c: sum, ldc: t.wide, a: w, rowStep: ld, depthStep: 1,
		b: rows, ldb: t.wide, panelStep: panelCols,
		rows: m, depth: n, halves: t.wide / attnHalf, more: more}
	p.run()
}

// mixingT adds to n rows of sum, [n][wide], m rows times their weights, of which w holds the transpose, ld
// apart.
func (t *attnTask) mixingT(sum, w []float32, ld int, rows []float32, n, m int) {
	p := attnProduct{c: sum, ldc: t.wide, a: w, rowStep: 1, depthStep: ld,
		b: rows, ldb: t.wide, panelStep: panelCols,
		rows: n, depth: m, halves: t.wide / attnHalf, more: true}
	p.run()
}

// finish divides by the softmax's sums and writes the rows out.
func (t *attnTask) finish(row, m int) {
	for r := range m {
		sum := t.stats.sum[r]
		if t.lse != nil {
			t.lse[(row+r)*t.heads+t.head] = t.stats.max[r] + attnLog(sum)
		}
		t.stats.corr[r] = 0
		if sum != 0 {
			t.stats.corr[r] = 1 / sum
		}
	}
	attnCopyRows(t.columns(&t.out, row, m), t.out.Stride, t.result, t.wide, m, t.hd, t.stats.corr)
}

// drop applies dropout to a tile: its rows are those of q from row on, its columns keys from k0 on.
func (t *attnTask) drop(tile []float32, ld, row, m, k0, n int) {
	for r := range m {
		v := tile[r*ld : r*ld+n]
		dropoutRow(v, v, t.p, t.key, AttentionElement(t.head, row+r, k0))
	}
}
