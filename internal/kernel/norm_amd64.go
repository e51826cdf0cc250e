//go:build amd64 && !noasm

package kernel

import "unsafe"

// The choice of the form; false means that plain Go must do it. Lengths may be anything, 0 included.

// normArch is layerNormRows for at least one row and column.
func normArch(y, x Matrix, gain, bias []float32, eps float32, stats *[normStats][2]float32) bool {
	switch {
	case isa >= AVX512:
		normRowsAVX512(&y.V[0], &x.V[0], unsafe.SliceData(gain), unsafe.SliceData(bias), x.Cols, x.Rows, 4*y.Stride, 4*x.Stride, eps, &stats[0])
	case isa == AVX2:
		normRowsAVX2(&y.V[0], &x.V[0], unsafe.SliceData(gain), unsafe.SliceData(bias), x.Cols, x.Rows, 4*y.Stride, 4*x.Stride, eps, &stats[0])
	default:
		return false
	}
	return true
}

// normGradArch is LayerNormGrad of at least one row and column of dx, dy and x, which adds to dgain and dbias; these may be
// nil (both), or dx.V.
func normGradArch(dx, dy, x Matrix, gain, mean, rstd, dgain, dbias []float32) bool {
	d, v, m, r, ds, xs := &dy.V[0], &x.V[0], &mean[0], &rstd[0], 4*dy.Stride, 4*x.Stride
	g, b := unsafe.SliceData(dgain), unsafe.SliceData(dbias)
	switch {
	case isa >= AVX512 && dx.V == nil:
		normGainRowsAVX512(d, v, x.Cols, x.Rows, ds, xs, m, r, g, b)
	case isa >= AVX512 && dgain != nil:
		normGradGainRowsAVX512(&dx.V[0], d, v, &gain[0], x.Cols, x.Rows, 4*dx.Stride, ds, xs, m, r, g, b)
	case isa >= AVX512:
		normGradRowsAVX512(&dx.V[0], d, v, &gain[0], x.Cols, x.Rows, 4*dx.Stride, ds, xs, m, r)
	case isa == AVX2 && dx.V == nil:
		normGainRowsAVX2(d, v, x.Cols, x.Rows, ds, xs, m, r, g, b)
	case isa == AVX2 && dgain != nil:
		normGradGainRowsAVX2(&dx.V[0], d, v, &gain[0], x.Cols, x.Rows, 4*dx.Stride, ds, xs, m, r, g, b)
	case isa == AVX2:
		normGradRowsAVX2(&dx.V[0], d, v, &gain[0], x.Cols, x.Rows, 4*dx.Stride, ds, xs, m, r)
	default:
		return false
	}
	return true
}

// The assembly.

// layerNormRows; ystep and xstep are the bytes from row to row, stats receives each row's mean and rstd and has room for an even
// number of rows
//
//go:noescape
func normRowsAVX2(y, x, gain, bias *float32, n, rows, ystep, xstep int, eps float32, stats *[2]float32)

// layerNormRows; ystep and xstep are the bytes from row to row, stats receives each row's mean and rstd and has room for an even
// number of rows
//
//go:noescape
func normRowsAVX512(y, x, gain, bias *float32, n, rows, ystep, xstep int, eps float32, stats *[2]float32)

// LayerNormGrad of rows, without dgain and dbias; the steps are the bytes from row to row
//
//go:noescape
func normGradRowsAVX2(dx, dy, x, gain *float32, n, rows, dxstep, dystep, xstep int, mean, rstd *float32)

// LayerNormGrad of rows, which adds to dgain and dbias; the steps are the bytes from row to row
//
//go:noescape
func normGradGainRowsAVX2(dx, dy, x, gain *float32, n, rows, dxstep, dystep, xstep int, mean, rstd, dgain, dbias *float32)

// dgain and dbias of rows, added to what is there; the steps are the bytes from row to row
//
//go:noescape
func normGainRowsAVX2(dy, x *float32, n, rows, dystep, xstep int, mean, rstd, dgain, dbias *float32)

// LayerNormGrad of rows, without dgain and dbias; the steps are the bytes from row to row
//
//go:noescape
func normGradRowsAVX512(dx, dy, x, gain *float32, n, rows, dxstep, dystep, xstep int, mean, rstd *float32)

// LayerNormGrad of rows, which adds to dgain and dbias; the steps are the bytes from row to row
//
//go:noescape
func normGradGainRowsAVX512(dx, dy, x, gain *float32, n, rows, dxstep, dystep, xstep int, mean, rstd, dgain, dbias *float32)

// dgain and dbias of rows, added to what is there; the steps are the bytes from row to row
//
//go:noescape
func normGainRowsAVX512(dy, x *float32, n, rows, dystep, xstep int, mean, rstd, dgain, dbias *float32)
