package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

// seqs are the kernel's sequences.
func seqs(starts, parent Tensor) kernel.Seqs {
	return kernel.Seqs{Starts: indices(starts), Parent: indices(parent)}
}

// drop is the share of attention weights to remove and the key of the generator.
func drop(m Mask) (p float32, key uint64) {
	if m.P == 0 {
		return 0, 0
	}
	return m.P, maskKey(indices(m.State), m.Site)
}

// Attention is softmax(QKᵀ·scale)V.
func (*CPU) Attention(a *AttentionArgs) error {
	p, key := drop(a.Drop)
	if a.Q.Form == Rounded {
		kernel.AttentionRounded(matrix(a.Out), roundedRows(a.Q), roundedRows(a.K), roundedRows(a.V), a.Heads, a.Scale, a.Causal,
			seqs(a.QStarts, a.Parent), seqs(a.KStarts, a.Parent), vector(a.LSE), p, key)
		return nil
	}
	kernel.AttentionDropout(matrix(a.Out), matrix(a.Q), matrix(a.K), matrix(a.V), a.Heads, a.Scale, a.Causal,
		seqs(a.QStarts, a.Parent), seqs(a.KStarts, a.Parent), vector(a.LSE), p, key)
	return nil
}

// AttentionGrad is its gradient.
func (*CPU) AttentionGrad(a *AttentionArgs) error {
	p, key := drop(a.Drop)
	if a.Q.Form == Rounded {
		kernel.AttentionRoundedGrad(matrix(a.DQ), matrix(a.DK), matrix(a.DV), matrix(a.DOut), matrix(a.Out),
			roundedRows(a.Q), roundedRows(a.K), roundedRows(a.V), a.Heads, a.Scale, a.Causal,
			seqs(a.QStarts, a.Parent), seqs(a.KStarts, a.Parent), vector(a.LSE), p, key)
		return nil
	}
	kernel.AttentionDropoutGrad(matrix(a.DQ), matrix(a.DK), matrix(a.DV), matrix(a.DOut), matrix(a.Out),
		matrix(a.Q), matrix(a.K), matrix(a.V), a.Heads, a.Scale, a.Causal,
		seqs(a.QStarts, a.Parent), seqs(a.KStarts, a.Parent), vector(a.LSE), p, key)
	return nil
}

// AttentionPool computes neither keys nor values, where the weights' heads are packed once for all.
func (c *CPU) AttentionPool(a *PoolArgs) error {
	if !c.keeps(a.Key) || !c.keeps(a.Value) {
		return a.byKeys(c)
	}
	dim := a.Q.Cols / a.Heads
	key, err := c.packed(a.Key, false, dim)
	if err != nil {
		return err
	}
	value, err := c.packed(a.Value, true, dim)
	if err != nil {
		return err
	}
	kernel.AttentionPool(&kernel.Pool{Out: matrix(a.Out), Q: matrix(a.Q), X: matrix(a.X), U: matrix(a.Work[0]), Z: matrix(a.Work[1]),
		Scale: a.Scale, Key: key, Value: value, Bias: vector(a.ValueBias)})
	return nil
}

// CachedAttention writes the new rows, then attends.
func (*CPU) CachedAttention(a *CachedAttentionArgs) error {
	if ck, ok := rounded(a.CacheK); ok {
		cv, _ := rounded(a.CacheV)
		kernel.CacheRowsRounded(ck, cv, matrix(a.K), matrix(a.V), indices(a.Slots))
		kernel.AttentionCachedRounded(matrix(a.Out), matrix(a.Q), ck, cv, a.Heads, a.Scale, indices(a.Table), a.Table.Cols, indices(a.Lens))
		return nil
	}
	ck, cv := matrix(a.CacheK), matrix(a.CacheV)
	kernel.CacheRows(ck, cv, matrix(a.K), matrix(a.V), indices(a.Slots))
	kernel.AttentionCached(matrix(a.Out), matrix(a.Q), ck, cv, a.Heads, a.Scale, indices(a.Table), a.Table.Cols, indices(a.Lens))
	return nil
}
