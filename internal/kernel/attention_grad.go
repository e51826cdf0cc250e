package kernel

// gradTile does queries i to i+m of the sequence at row first: its part of dq, and what they add to
// the gradients of the keys and values. The queries are taken times scale, so that the gradients of the
// scores need no factor.
func (t *attnTask) gradTile(first, i, m, own int) {
	row := first + i
	dout := t.columns(&t.dout, row, m)
	for r := range m {
		t.stats.lse[r] = t.lse[(row+r)*t.heads+t.head]
	}
	t.queries(row, m)
	attnCopyRows(t.doutRows, t.wide, dout, t.dout.Stride, m, t.hd, nil)
	total := t.sees(i+m-1, own)
	t.center = t.out.V == nil && total <= attnGradKeys
	switch {
	case t.out.V != nil:
		attnDots(t.stats.dot, dout, t.dout.Stride, t.columns(&t.out, row, m), t.out.Stride, m, t.hd)
	case t.center:
		clear(t.stats.dot[:m])
	default:
		t.gradDots(row, i, m, own, total)
	}
	for k0 := 0; k0 < total; k0 += attnGradKeys {
		see := attnRow{t.sees(i, own) - k0, t.slope(), min(attnGradKeys, total-k0)}
		t.gradScores(row, m, k0, see)
		t.gradQueries(m, k0, see)
		t.gradKeys(m, k0, see)
	}
	if total == 0 {
		clear(t.result[:m*t.wide])
	}
	attnCopyRows(t.columns(&t.dq, row, m), t.dq.Stride, t.result, t.wide, m, t.hd, t.scales)
}

// gradDots is dout·out of a tile whose out is not at hand, and whose queries see more keys than are done at once.
func (t *attnTask) gradDots(row, i, m, own, total int) {
	var sum [attnGradRows]float32
	clear(t.stats.dot[:m])
	for k0 := 0; k0 < total; k0 += attnGradKeys {
		see := attnRow{t.sees(i, own) - k0, t.slope(), min(attnGradKeys, total-k0)}
		t.gradScores(row, m, k0, see)
		for r := range m {
			for _, x := range t.grads[r*attnGradKeys:][:max(see.at(r), 0)] {
				sum[r] += x
			}
		}
	}
	copy(t.stats.dot[:m], sum[:])
}

// gradBlock is how many rows of a tile are done at once where the rows above the diagonal are left out.
const gradBlock = 14

// gradScores recomputes the weights P into t.scores and sets t.grads to the gradients of the scores.
func (t *attnTask) gradScores(row, m, k0 int, see attnRow) {
	for r := 0; r < m; r += gradBlock {
		rows := min(gradBlock, m-r)
		if n := see.at(r + rows - 1); n > 0 {
			t.scoring(t.scores[r*attnGradKeys:], attnGradKeys, t.queryRows[r*t.wide:], t.keysT, rows, k0, n)
			t.scoring(t.grads[r*attnGradKeys:], attnGradKeys, t.doutRows[r*t.wide:], t.valuesT, rows, k0, n)
		}
	}
	if t.p > 0 {
		t.drop(t.grads, attnGradKeys, row, m, k0, see.width)
	}
	attnScoreGrad(t.scores, t.grads, attnGradKeys, m, see, &t.stats)
	if t.center {
		attnCenter(t.scores, t.grads, attnGradKeys, m, see)
	}
	if t.p > 0 {
		t.drop(t.scores, attnGradKeys, row, m, k0, see.width)
	}
}

// gradQueries adds dS·K to the tile's part of dq.
func (t *attnTask) gradQueries(m, k0 int, see attnRow) {
	for r := 0; r < m; r += gradBlock {
		rows := min(gradBlock, m-r)
		t.mixing(t.result[r*t.wide:], t.grads[r*attnGradKeys:], attnGradKeys, t.keyRows[k0*t.wide:], rows, max(see.at(r+rows-1), 0), k0 > 0)
	}
}

// gradKeys adds Pᵀ·dout and dSᵀ·Q to the gradients of the values and keys.
func (t *attnTask) gradKeys(m, k0 int, see attnRow) {
	for k := 0; k < see.width; k += gradBlock {
		keys := min(gradBlock, see.width-k)
		r := see.first(k) // the queries before see none of these keys
		to, from, at := (k0+k)*t.wide, r*t.wide, r*attnGradKeys+k
		t.mixingT(t.valueSum[to:], t.scores[at:], attnGradKeys, t.doutRows[from:], keys, m-r)
		t.mixingT(t.keySum[to:], t.grads[at:], attnGradKeys, t.queryRows[from:], keys, m-r)
	}
}

// putKeys writes the gradients of n keys and values, from the packed position at, to the rows of dk
// and dv from row first on.
func (t *attnTask) putKeys(first, at, n int) {
	attnCopyRows(t.columns(&t.dk, first, n), t.dk.Stride, t.keySum[at*t.wide:], t.wide, n, t.hd, nil)
	attnCopyRows(t.columns(&t.dv, first, n), t.dv.Stride, t.valueSum[at*t.wide:], t.wide, n, t.hd, nil)
}
