package nn

import "github.com/clipcap-go/clipcap/internal/gpu"

// Gemm is one launch with what is fused to it.
func (g *GPU) Gemm(c, a Tensor, transA bool, b Operand, transB bool, ep *Epilogue) error {
	k := a.Cols
	if transA {
		k = a.Rows
	}
	w, err := g.weight(b, c.Rows, c.Cols, k, transA)
	if err != nil {
		return err
	}
	return g.dev.Gemm(gm(c), gm(a), transA, w, transB, g.mode, gpuEpilogue(ep))
}

// ColSum adds rows.
func (g *GPU) ColSum(dst, a Tensor) error { return g.dev.ColSum(gm(dst), gm(a)) }

// Activate is elementwise.
func (g *GPU) Activate(dst, x Tensor, act Activation) error {
	g.dev.Activate(gm(dst), gm(x), gpuActivations[act])
	return nil
}

// ActivateGrad is elementwise.
func (g *GPU) ActivateGrad(dx, dy, x Tensor, act Activation) error {
	g.dev.ActivateGrad(gm(dx), gm(dy), gm(x), gpuActivations[act])
	return nil
}

// Add is elementwise.
func (g *GPU) Add(dst, a, b Tensor) error {
	g.dev.Add(gm(dst), gm(a), gm(b))
	return nil
}

// Scale is elementwise.
func (g *GPU) Scale(dst, x, s Tensor) error {
	g.dev.Scale(gm(dst), gm(x), gm(s))
	return nil
}

// Zero clears.
func (g *GPU) Zero(dst Tensor) error {
	g.dev.Zero(gm(dst))
	return nil
}

func gpuMask(m Mask) gpu.Mask { return gpu.Mask{P: m.P, State: gi(m.State), Site: m.Site} }

// Dropout draws the CPU's masks.
func (g *GPU) Dropout(dst, x Tensor, m Mask) error {
	g.dev.Dropout(gm(dst), gm(x), gpuMask(m))
	return nil
}

// LayerNorm normalises rows.
func (g *GPU) LayerNorm(y, x, gain, bias Tensor, eps float32, mean, rstd Tensor) error {
	g.dev.LayerNorm(gm(y), gm(x), gm(gain), gm(bias), eps, gm(mean), gm(rstd))
	return nil
}

// LayerNormGrad is the gradient of LayerNorm.
func (g *GPU) LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd Tensor) error {
	return g.dev.LayerNormGrad(gm(dx), gm(dgain), gm(dbias), gm(dy), gm(x), gm(gain), gm(mean), gm(rstd))
}

// L2Normalize divides rows by their length.
func (g *GPU) L2Normalize(y, x, norm Tensor) error {
	g.dev.L2Normalize(gm(y), gm(x), gm(norm))
	return nil
}

// L2NormalizeGrad is the gradient of L2Normalize.
func (g *GPU) L2NormalizeGrad(dx, dy, y, norm Tensor) error {
	g.dev.L2NormalizeGrad(gm(dx), gm(dy), gm(y), gm(norm))
	return nil
}

// Gather picks rows.
func (g *GPU) Gather(dst, src, idx Tensor, add bool) error {
	g.dev.Gather(gm(dst), table(src), gi(idx), idx.Rows*idx.Cols, add)
	return nil
}

// ScatterAdd adds rows where they came from.
func (g *GPU) ScatterAdd(dst, src, idx Tensor) error {
	return g.dev.ScatterAdd(gm(dst), gm(src), gi(idx), idx.Rows*idx.Cols)
}

func (g *GPU) attention(a *AttentionArgs) *gpu.Attention {
	return &gpu.Attention{Mode: g.mode, Q: gm(a.Q), K: gm(a.K), V: gm(a.V), Out: gm(a.Out), LSE: gm(a.LSE),
		QStarts: gi(a.QStarts), KStarts: gi(a.KStarts), Parent: gi(a.Parent), Sequences: a.QStarts.Rows*a.QStarts.Cols - 1,
		Heads: a.Heads, Scale: a.Scale, Causal: a.Causal, Drop: gpuMask(a.Drop), DOut: gm(a.DOut), DQ: gm(a.DQ), DK: gm(a.DK), DV: gm(a.DV)}
}

// Attention is softmax(QKᵀ·scale)V.
func (g *GPU) Attention(a *AttentionArgs) error { return g.dev.Attention(g.attention(a)) }

// AttentionGrad is its gradient.
func (g *GPU) AttentionGrad(a *AttentionArgs) error { return g.dev.AttentionGrad(g.attention(a)) }

// AttentionPool is two products of all rows, which tensor cores have no trouble with, and attention. Without keys and values there
// would be a launch for each head.
func (g *GPU) AttentionPool(a *PoolArgs) error { return a.byKeys(g) }

// CachedAttention is one step of decoding.
func (g *GPU) CachedAttention(a *CachedAttentionArgs) error {
	return g.dev.CachedAttention(&gpu.CachedAttention{Q: gm(a.Q), K: gm(a.K), V: gm(a.V), Out: gm(a.Out), CacheK: gm(a.CacheK), CacheV: gm(a.CacheV),
		Slots: gi(a.Slots), Table: gi(a.Table), Lens: gi(a.Lens), Longest: a.Table.Cols, Heads: a.Heads, Scale: a.Scale})
}

func (g *GPU) crossEntropy(a *CrossEntropyArgs) (*gpu.CrossEntropy, error) {
	embed, err := g.weight(a.Embed, a.X.Rows, a.Embed.Rows, a.X.Cols, false)
	return &gpu.CrossEntropy{X: gm(a.X), Embed: embed, Targets: gi(a.Targets), Loss: gm(a.Loss), LSE: gm(a.LSE),
		DX: gm(a.DX), DLoss: gm(a.DLoss), DEmbed: gm(a.DEmbed), Mode: g.mode, Part: g.vocab}, err
}

// CrossEntropy is the fused head and loss.
func (g *GPU) CrossEntropy(a *CrossEntropyArgs) error {
	c, err := g.crossEntropy(a)
	if err != nil {
		return err
	}
	return g.dev.CrossEntropy(c)
}

// CrossEntropyGrad is its gradient for a trainable head.
func (g *GPU) CrossEntropyGrad(a *CrossEntropyArgs) error {
	c, err := g.crossEntropy(a)
	if err != nil {
		return err
	}
	return g.dev.CrossEntropyGrad(c)
}

// Top looks for the greatest logits.
func (g *GPU) Top(a *TopArgs) error {
	embed, err := g.weight(a.Embed, a.X.Rows, a.Embed.Rows, a.X.Cols, false)
	if err != nil {
		return err
	}
	return g.dev.Top(gm(a.Out), gm(a.X), embed, a.K, a.Scale, g.mode)
}

func (g *GPU) conv(c ConvArgs) gpu.Conv {
	return gpu.Conv{Images: c.Images, H: c.H, W: c.W, C: c.C, Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Mode: g.mode}
}

// Conv2D is one launch, with patches that are never written down.
func (g *GPU) Conv2D(y, x Tensor, w Operand, c ConvArgs, ep *Epilogue) error {
	weight, err := g.weight(w, y.Rows, y.Cols, w.Cols, false)
	if err != nil {
		return err
	}
	return g.dev.Conv2D(gm(y), gm(x), weight, g.conv(c), gpuEpilogue(ep))
}

// Conv2DGrad is the gradient of Conv2D.
func (g *GPU) Conv2DGrad(dx, dw, dy, x Tensor, w Operand, c ConvArgs) error {
	return g.dev.Conv2DGrad(gm(dx), gm(dw), gm(dy), gm(x), table(w.Tensor), g.conv(c))
}

// AvgPool averages squares.
func (g *GPU) AvgPool(y, x Tensor, c ConvArgs) error {
	g.dev.AvgPool(gm(y), gm(x), g.conv(c))
	return nil
}

// AvgPoolGrad spreads gradients over squares.
func (g *GPU) AvgPoolGrad(dx, dy Tensor, c ConvArgs) error {
	g.dev.AvgPoolGrad(gm(dx), gm(dy), g.conv(c))
	return nil
}
