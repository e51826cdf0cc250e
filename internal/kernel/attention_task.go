package kernel

// attnTask is one worker's view of a job: the head in hand and the working memory.
type attnTask struct {
	*attnJob
	head  int
	above int // keys of the parent, in front of the sequence's own

	// packed operands, of all the keys the sequence in hand sees
	keyCap         int
	keysT, valuesT []float32 // [key panel][hd][32]: the rows across, for q·Kᵀ and dout·Vᵀ
	keyRows        []float32 // [column panel][keyCap][32]: the rows as they are
	valueRows      []float32
	scores, grads  []float32 // tiles [tileRows][tileKeys]
	result         []float32 // [tileRows][wide]
	stats          attnStats

	queryRows, doutRows []float32 // [column panel][tileRows][32]
	keySum, valueSum    []float32 // [keyCap][wide], the gradients so far
}

// attnStats are numbers a row of a tile: of the softmax so far, or what the backward pass needs.
type attnStats struct {
	max, sum, corr []float32 // forward: largest scaled score, Σ exp, and the factor for what was summed before
	lse, dot       []float32 // backward: lse and dout·out
}

// init lends t memory for job j; the caller gives it back to scratch.
func (t *attnTask) init(j *attnJob) (memory []float32) {
	t.attnJob = j
	t.keyCap = roundUp(max(j.groups.keys, 1), panelCols)
	packed := t.keyCap * j.wide
	tileKeys, small := attnKeys, 3*roundUp(j.tileRows, 16)
	n := 2*packed + j.tileRows*(tileKeys+j.wide) + small
	if j.grad {
		tileKeys = attnGradKeys
		n = 5*packed + j.tileRows*(2*tileKeys+3*j.wide) + small
	}
	memory = scratch.get(n)
	rest := memory
	cut := func(n int) []float32 {
		v := rest[:n:n]
		rest = rest[n:]
		return v
	}
	t.keysT = cut(packed)
	t.scores, t.result = cut(j.tileRows*tileKeys), cut(j.tileRows*j.wide)
	rows := func() []float32 { return cut(roundUp(j.tileRows, 16))[:j.tileRows] }
	if !j.grad {
		t.valueRows = cut(packed)
		t.stats = attnStats{max: rows(), sum: rows(), corr: rows()}
		return memory
	}
	t.valuesT, t.keyRows, t.keySum, t.valueSum = cut(packed), cut(packed), cut(packed), cut(packed)
	t.grads = cut(j.tileRows * tileKeys)
	t.queryRows, t.doutRows = cut(j.tileRows*j.wide), cut(j.tileRows*j.wide)
	t.stats = attnStats{lse: rows(), dot: rows()}
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
	attnPackT(t.keysT, t.columns(&t.k, first, n), t.k.Stride, t.above, n, t.hd)
	if !t.grad {
		attnPackRows(t.valueRows, t.keyCap, t.columns(&t.v, first, n), t.v.Stride, t.above, n, t.hd)
		return
	}
	attnPackT(t.valuesT, t.columns(&t.v, first, n), t.v.Stride, t.above, n, t.hd)
	attnPackRows(t.keyRows, t.keyCap, t.columns(&t.k, first, n), t.k.Stride, t.above, n, t.hd)
	clear(t.keySum[t.above*t.wide : (t.above+n)*t.wide])
	clear(t.valueSum[t.above*t.wide : (t.above+n)*t.wide])
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
	q, total := t.columns(&t.q, first+i, m), t.sees(i+m-1, own)
	for r := range m {
		t.stats.max[r], t.stats.sum[r] = negInf, 0
	}
	for k0 := 0; k0 < total; k0 += attnKeys {
		n := min(attnKeys, total-k0)
		attnMul(t.scores, attnKeys, q, t.q.Stride, t.keysT[k0*t.hd:], t.hd*panelCols, m, t.hd, (n+panelCols-1)/panelCols, false)
		attnSoftmax(t.scores, m, attnRow{t.sees(i, own) - k0, t.slope(), n}, t.scale, &t.stats)
		if t.p > 0 {
			t.drop(t.scores, attnKeys, first+i, m, k0, n)
		}
		if k0 > 0 {
			attnScaleRows(t.result, t.wide, m, t.stats.corr)
		}
		attnMul(t.result, t.wide, t.scores, attnKeys, t.valueRows[k0*panelCols:], t.keyCap*panelCols, m, n, t.wide/panelCols, k0 > 0)
	}
	if total == 0 {
		clear(t.result[:m*t.wide])
	}
	t.finish(first+i, m)
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
	attnPutRows(t.columns(&t.out, row, m), t.out.Stride, t.result, t.wide, m, t.hd, t.stats.corr)
}

// drop applies dropout to a tile: its rows are those of q from row on, its columns keys from k0 on.
func (t *attnTask) drop(tile []float32, ld, row, m, k0, n int) {
	for r := range m {
		v := tile[r*ld : r*ld+n]
		dropoutRow(v, v, t.p, t.key, AttentionElement(t.head, row+r, k0))
	}
}
