package kernel

// gradTile does queries i to i+m of the sequence at row first: its part of dq, and what they add to
// the gradients of the keys and values.
func (t *attnTask) gradTile(first, i, m, own int) {
	row := first + i
	q, dout := t.columns(&t.q, row, m), t.columns(&t.dout, row, m)
	for r := range m {
		t.stats.lse[r] = t.lse[(row+r)*t.heads+t.head]
	}
	attnDots(t.stats.dot, dout, t.dout.Stride, t.columns(&t.out, row, m), t.out.Stride, m, t.hd)
	attnPackRows(t.queryRows, t.tileRows, q, t.q.Stride, 0, m, t.hd)
	attnPackRows(t.doutRows, t.tileRows, dout, t.dout.Stride, 0, m, t.hd)
	total := t.sees(i+m-1, own)
	for k0 := 0; k0 < total; k0 += attnGradKeys {
		n := min(attnGradKeys, total-k0)
		t.gradScores(q, dout, row, m, k0, attnRow{t.sees(i, own) - k0, t.slope(), n})
		t.gradQueries(m, k0, attnRow{t.sees(i, own) - k0, t.slope(), n})
		t.gradKeys(m, k0, attnRow{t.sees(i, own) - k0, t.slope(), n})
	}
	if total == 0 {
		clear(t.result[:m*t.wide])
	}
	attnPutRows(t.columns(&t.dq, row, m), t.dq.Stride, t.result, t.wide, m, t.hd, nil)
}

// gradBlock is how many rows of a tile are done at once where the rows above the diagonal are left out.
const gradBlock = 14

// gradScores recomputes the weights P into t.scores and sets t.grads to the gradients of the scores.
func (t *attnTask) gradScores(q, dout []float32, row, m, k0 int, see attnRow) {
	for r := 0; r < m; r += gradBlock {
		rows := min(gradBlock, m-r)
		panels := (max(see.at(r+rows-1), 0) + panelCols - 1) / panelCols
		p, d := t.scores[r*attnGradKeys:], t.grads[r*attnGradKeys:]
		if panels > 0 {
			attnMul(p, attnGradKeys, q[r*t.q.Stride:], t.q.Stride, t.keysT[k0*t.hd:], t.hd*panelCols, rows, t.hd, panels, false)
			attnMul(d, attnGradKeys, dout[r*t.dout.Stride:], t.dout.Stride, t.valuesT[k0*t.hd:], t.hd*panelCols, rows, t.hd, panels, false)
		}
	}
	if t.p > 0 {
		t.drop(t.grads, attnGradKeys, row, m, k0, see.width)
	}
	attnScoreGrad(t.scores, t.grads, m, see, t.scale, &t.stats)
	if t.p > 0 {
		t.drop(t.scores, attnGradKeys, row, m, k0, see.width)
	}
}

// gradQueries adds dS·K to the tile's part of dq.
func (t *attnTask) gradQueries(m, k0 int, see attnRow) {
	for r := 0; r < m; r += gradBlock {
		rows := min(gradBlock, m-r)
		n := max(see.at(r+rows-1), 0)
		attnMul(t.result[r*t.wide:], t.wide, t.grads[r*attnGradKeys:], attnGradKeys, t.keyRows[k0*panelCols:], t.keyCap*panelCols, rows, n, t.wide/panelCols, k0 > 0)
	}
}

// gradKeys adds Pᵀ·dout and dSᵀ·Q to the gradients of the values and keys.
func (t *attnTask) gradKeys(m, k0 int, see attnRow) {
	for k := 0; k < see.width; k += gradBlock {
		keys := min(gradBlock, see.width-k)
		r := see.first(k) // the queries before see none of these keys
		to := (k0 + k) * t.wide
		attnMulT(t.valueSum[to:], t.wide, t.scores[r*attnGradKeys+k:], attnGradKeys, t.doutRows[r*panelCols:], t.tileRows*panelCols, keys, m-r, t.wide/panelCols)
		attnMulT(t.keySum[to:], t.wide, t.grads[r*attnGradKeys+k:], attnGradKeys, t.queryRows[r*panelCols:], t.tileRows*panelCols, keys, m-r, t.wide/panelCols)
	}
}

// putKeys writes the gradients of n keys and values, from the packed position at, to the rows of dk
// and dv from row first on.
func (t *attnTask) putKeys(first, at, n int) {
	if n == 0 {
		return
	}
	attnPutRows(t.columns(&t.dk, first, n), t.dk.Stride, t.keySum[at*t.wide:], t.wide, n, t.hd, nil)
	attnPutRows(t.columns(&t.dv, first, n), t.dv.Stride, t.valueSum[at*t.wide:], t.wide, n, t.hd, nil)
}
