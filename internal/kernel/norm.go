package kernel

import "math"

// LayerNorm normalises each row of x [rows, cols] to mean 0 and variance 1, then scales and shifts
// it (Ba, Kiros and Hinton, arXiv 1607.06450):
//
//	y = (x - mean)·rstd·gain + bias,  rstd = 1/√(variance + eps)
//
// The variance is the biased one, taken in a second pass over the row. gain and bias are [cols].
// mean and rstd [rows], for LayerNormGrad, may be nil. y may be x.
func LayerNorm(y, x Matrix, gain, bias []float32, eps float32, mean, rstd []float32) {
	t := tasks.get()
	t.y, t.x, t.a, t.b, t.c, t.d, t.s[0] = y, x, gain[:x.Cols], bias[:x.Cols], mean, rstd, eps
	t.overRows(x.Rows, x.Cols, 2, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			mean, rstd := layerNormRow(t.y.row(i), t.x.row(i), t.a, t.b, t.s[0])
			if t.c != nil {
				t.c[i] = mean
			}
			if t.d != nil {
				t.d[i] = rstd
			}
		}
	})
}

// layerNormRow is LayerNorm for one row.
func layerNormRow(y, x, gain, bias []float32, eps float32) (mean, rstd float32) {
	if len(x) == 0 {
		return 0, 0
	}
	var stats [2]float32
	if normArch(y, x, gain, bias, eps, &stats) {
		return stats[0], stats[1]
	}
	var s [16]float32
	for i, v := range x {
		s[i&15] += v
	}
	n := float32(len(x))
	mean = fold16(&s) / n
	s = [16]float32{}
	for i, v := range x {
		s[i&15] += (v - mean) * (v - mean)
	}
	rstd = float32(1 / math.Sqrt(float64(fold16(&s)/n+eps)))
	for i, v := range x {
		y[i] = (v-mean)*rstd*gain[i] + bias[i]
	}
	return mean, rstd
}

// normPieces is the most pieces that the rows of LayerNormGrad are cut into. Each sums its own dgain
// and dbias, and those are added in order, whatever the number of goroutines.
const normPieces = 32

// LayerNormGrad is the backward pass of LayerNorm. With x̂ = (x - mean)·rstd, g = dy·gain and means
// taken over a row:
//
//	dx    = rstd·(g - mean(g) - x̂·mean(g·x̂)) + add
//	dgain = Σ over rows of dy·x̂
//	dbias = Σ over rows of dy
//
// add is the gradient that reached x by another way (a residual branch), or nil. dx.V is nil where
// only dgain and dbias are wanted, and dgain and dbias are nil (both) where the layer is frozen.
// dx may be dy or add. All results replace what was there and do not depend on the number of
// goroutines.
func LayerNormGrad(dx, dy, x Matrix, gain, mean, rstd []float32, dgain, dbias []float32, add *Matrix) {
	rows, cols := x.Rows, x.Cols
	t := tasks.get()
	t.y, t.z, t.x, t.a, t.b, t.c = dx, dy, x, gain[:cols], mean[:rows], rstd[:rows]
	if add != nil {
		t.w = *add
	}
	if dgain == nil && dbias == nil {
		t.overRows(rows, cols, 3, layerNormGrad)
		return
	}
	t.step = max(8, (rows+normPieces-1)/normPieces)
	t.run, t.n = layerNormGrad, rows
	n := t.pieces()
	t.id = int32((cols + 15) &^ 15) // whole cache lines for each piece
	t.d = t.zeroed(2 * n * int(t.id))
	Run(n, t)
	for _, g := range [2]struct {
		sum []float32
		at  int
	}{{dgain, 0}, {dbias, int(t.id)}} {
		if g.sum == nil {
			continue
		}
		clear(g.sum[:cols])
		for i := range n {
			at := g.at + 2*i*int(t.id)
			addRow(g.sum[:cols], g.sum[:cols], t.d[at:at+cols])
		}
	}
	tasks.put(t)
}

// layerNormGrad does the rows lo..hi, one piece if t.d (the partial sums) is not nil.
func layerNormGrad(t *task, lo, hi int) {
	var dgain, dbias []float32
	if t.d != nil {
		size := int(t.id)
		part := t.d[lo/t.step*2*size:]
		dgain, dbias = part[:t.x.Cols], part[size:size+t.x.Cols]
	}
	for i := lo; i < hi; i++ {
		dy, x, mean, rstd := t.z.row(i), t.x.row(i), t.b[i], t.c[i]
		g, gx := normSumsRow(dy, x, t.a, dgain, dbias, mean, rstd)
		if t.y.V == nil {
			continue
		}
		var add []float32
		if t.w.V != nil {
			add = t.w.row(i)
		}
		n := float32(len(x))
		normGradRow(t.y.row(i), dy, x, t.a, add, &[4]float32{mean, rstd, g / n, gx / n})
	}
}

// normSumsRow returns Σ dy·gain and Σ dy·gain·x̂, and adds to dgain and dbias unless they are nil.
func normSumsRow(dy, x, gain, dgain, dbias []float32, mean, rstd float32) (g, gx float32) {
	c := [4]float32{mean, rstd}
	if normSumsArch(dy, x, gain, dgain, dbias, &c) {
		return c[2], c[3]
	}
	var s, sx [16]float32
	for i, v := range x {
		h := (v - mean) * rstd
		d := dy[i] * gain[i]
		s[i&15] += d
		sx[i&15] += d * h
		if dgain != nil {
			dgain[i] += dy[i] * h
			dbias[i] += dy[i]
		}
	}
	return fold16(&s), fold16(&sx)
}

// normGradRow sets dx = rstd·(dy·gain - mean(g) - x̂·mean(g·x̂)) + add; c holds mean, rstd, mean(g)
// and mean(g·x̂).
func normGradRow(dx, dy, x, gain, add []float32, c *[4]float32) {
	if normGradArch(dx, dy, x, gain, add, c) {
		return
	}
	mean, rstd, g, gx := c[0], c[1], c[2], c[3]
	for i, v := range x {
		h := (v - mean) * rstd
		d := rstd * (dy[i]*gain[i] - g - h*gx)
		if add != nil {
			d += add[i]
		}
		dx[i] = d
	}
}
