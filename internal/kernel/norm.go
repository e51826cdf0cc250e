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
	t.overRows(x.Rows, x.Cols, 1, func(t *task, lo, hi int) {
		var stats [normStats][2]float32
		for ; lo < hi; lo += len(stats) {
			end := min(lo+len(stats), hi)
			layerNormRows(t.y.slab(lo, end), t.x.slab(lo, end), t.a, t.b, t.s[0], &stats)
			for i, s := range stats[:end-lo] {
				if t.c != nil {
					t.c[lo+i] = s[0]
				}
				if t.d != nil {
					t.d[lo+i] = s[1]
				}
			}
		}
	})
}

// normStats is how many rows' statistics LayerNorm keeps on its stack; even.
const normStats = 64

// layerNormRows is LayerNorm of up to normStats rows in the calling goroutine; stats receives mean and rstd.
func layerNormRows(y, x Matrix, gain, bias []float32, eps float32, stats *[normStats][2]float32) {
	if x.Rows == 0 || x.Cols == 0 || normArch(y, x, gain, bias, eps, stats) {
		return
	}
	for i := range x.Rows {
		stats[i][0], stats[i][1] = layerNormRow(y.row(i), x.row(i), gain, bias, eps)
	}
}

// layerNormRow is LayerNorm for one row, in plain Go.
func layerNormRow(y, x, gain, bias []float32, eps float32) (mean, rstd float32) {
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
const normPieces = 16

// LayerNormGrad is the backward pass of LayerNorm. With x̂ = (x - mean)·rstd, g = dy·gain and means
// taken over a row:
//
//	dx    = rstd·(g - mean(g) - x̂·mean(g·x̂))
//	dgain = Σ over rows of dy·x̂
//	dbias = Σ over rows of dy
//
// dx.V is nil where only dgain and dbias are wanted, and dgain and dbias are nil (both) where the layer is
// frozen. dx may be dy. All results replace what was there and do not depend on the number of goroutines.
func LayerNormGrad(dx, dy, x Matrix, gain, mean, rstd []float32, dgain, dbias []float32) {
	rows, cols := x.Rows, x.Cols
	t := tasks.get()
	t.y, t.z, t.x, t.a, t.b, t.c = dx, dy, x, gain[:cols], mean[:rows], rstd[:rows]
	if dgain == nil && dbias == nil {
		t.overRows(rows, cols, 3, layerNormGrad)
		return
	}
	t.step = max(8, (rows+normPieces-1)/normPieces)
	t.run, t.n = layerNormGrad, rows
	n := t.pieces()
	t.id = int32((cols + 15) &^ 15) // whole cache lines for each piece
	t.d = t.partial(2 * n * int(t.id))
	Run(n, t)
	t.a, t.b = dgain, dbias
	t.run, t.n, t.step = layerNormFold, cols, normFold
	Run(t.pieces(), t)
	tasks.put(t)
}

// normFold is how many columns of the sums of gain and bias one goroutine adds up.
const normFold = 256

// layerNormFold adds the pieces' sums of columns lo..hi, in the pieces' order.
func layerNormFold(t *task, lo, hi int) {
	for k, sum := range [2][]float32{t.a, t.b} {
		if sum == nil {
			continue
		}
		sum = sum[lo:hi]
		clear(sum)
		for at := k*int(t.id) + lo; at < len(t.d); at += 2 * int(t.id) {
			addRow(sum, sum, t.d[at:at+len(sum)])
		}
	}
}

// layerNormGrad does the rows lo..hi, one piece if t.d (the partial sums) is not nil.
func layerNormGrad(t *task, lo, hi int) {
	var dgain, dbias []float32
	if t.d != nil {
		size := int(t.id)
		part := t.d[lo/t.step*2*size:]
		dgain, dbias = part[:t.x.Cols], part[size:size+t.x.Cols]
		clear(dgain)
		clear(dbias)
	}
	dx := t.y
	if dx.V != nil {
		dx = dx.slab(lo, hi)
	}
	layerNormGradRows(dx, t.z.slab(lo, hi), t.x.slab(lo, hi), t.a, t.b[lo:hi], t.c[lo:hi], dgain, dbias)
}

// layerNormGradRows is LayerNormGrad in the calling goroutine, but adds to dgain and dbias.
func layerNormGradRows(dx, dy, x Matrix, gain, mean, rstd, dgain, dbias []float32) {
	if x.Rows == 0 || x.Cols == 0 || normGradArch(dx, dy, x, gain, mean, rstd, dgain, dbias) {
		return
	}
	for i := range x.Rows {
		g, k := normSumsRow(dy.row(i), x.row(i), gain, dgain, dbias, mean[i], rstd[i])
		if dx.V != nil {
			normGradRow(dx.row(i), dy.row(i), x.row(i), gain, mean[i], rstd[i], g, k)
		}
	}
}

// normSumsRow returns g = mean(dy·gain) and k = mean(dy·gain·(x - mean))·rstd², and adds to dgain and dbias unless they
// are nil.
func normSumsRow(dy, x, gain, dgain, dbias []float32, mean, rstd float32) (g, k float32) {
	var s, sx [16]float32
	for i, v := range x {
		h := v - mean
		d := dy[i] * gain[i]
		s[i&15] += d
		sx[i&15] += d * h
		if dgain != nil {
			dgain[i] += dy[i] * (h * rstd)
			dbias[i] += dy[i]
		}
	}
	n := float32(len(x))
	return fold16(&s) / n, fold16(&sx) / n * rstd * rstd
}

// normGradRow sets dx = rstd·(dy·gain - g - (x-mean)·k).
func normGradRow(dx, dy, x, gain []float32, mean, rstd, g, k float32) {
	for i, v := range x {
		dx[i] = rstd * (dy[i]*gain[i] - (g + (v-mean)*k))
	}
}
