package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

// Activate is elementwise.
func (*CPU) Activate(dst, x Tensor, act Activation) error {
	if x.Form == Rounded {
		kernel.ActRounded(matrix(dst), roundedRows(x), activations[act])
		return nil
	}
	kernel.Act(vector(dst), vector(x), activations[act])
	return nil
}

// ActivateGrad is elementwise.
func (*CPU) ActivateGrad(dx, dy, x Tensor, act Activation) error {
	kernel.ActGrad(vector(dx), vector(dy), vector(x), activations[act])
	return nil
}

// Add is elementwise.
func (*CPU) Add(dst, a, b Tensor) error {
	kernel.Add(vector(dst), vector(a), vector(b))
	return nil
}

// Scale is elementwise.
func (*CPU) Scale(dst, x, s Tensor) error {
	kernel.Scale(vector(dst), vector(x), vector(s)[0])
	return nil
}

// Zero clears.
func (*CPU) Zero(dst Tensor) error {
	m := matrix(dst)
	for i := range m.Rows {
		clear(m.V[i*m.Stride:][:m.Cols])
	}
	return nil
}

// Dropout draws from the counter.
func (*CPU) Dropout(dst, x Tensor, m Mask) error {
	kernel.Dropout(vector(dst), vector(x), m.P, maskKey(indices(m.State), m.Site), 0)
	return nil
}

// LayerNorm normalises rows.
func (*CPU) LayerNorm(y, x, gain, bias Tensor, eps float32, mean, rstd Tensor) error {
	kernel.LayerNorm(matrix(y), matrix(x), vector(gain), vector(bias), eps, vector(mean), vector(rstd))
	return nil
}

// LayerNormGrad is the gradient of LayerNorm.
func (*CPU) LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd Tensor) error {
	kernel.LayerNormGrad(matrix(dx), matrix(dy), matrix(x), vector(gain), vector(mean), vector(rstd), vector(dgain), vector(dbias))
	return nil
}

// L2Normalize divides rows by their length.
func (*CPU) L2Normalize(y, x, norm Tensor) error {
	kernel.L2Normalize(matrix(y), matrix(x), vector(norm))
	return nil
}

// L2NormalizeGrad is the gradient of L2Normalize.
func (*CPU) L2NormalizeGrad(dx, dy, y, norm Tensor) error {
	kernel.L2NormalizeGrad(matrix(dx), matrix(dy), matrix(y), vector(norm))
	return nil
}

// Gather picks rows.
func (*CPU) Gather(dst, src, idx Tensor, add bool) error {
	if b := src.Buf.(*hostBuffer); b.taken != nil {
		kernel.GatherColumns(matrix(dst), b.taken, indices(idx), add)
		return nil
	}
	kernel.Gather(matrix(dst), matrix(src), indices(idx), add)
	return nil
}

// ScatterAdd adds rows where they came from.
func (*CPU) ScatterAdd(dst, src, idx Tensor) error {
	kernel.ScatterAdd(matrix(dst), matrix(src), indices(idx))
	return nil
}
