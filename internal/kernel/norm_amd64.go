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

// normSums2Arch is normSumsRow for rows i and i+1; c is mean, rstd and the sums of each. If there is a dx, its rows are
// fetched into the cache.
func normSums2Arch(dx, dy, x *Matrix, i int, gain, dgain, dbias []float32, c *[8]float32) bool {
	if dx.V == nil {
		dx = x
	}
	o, os := &dx.V[i*dx.Stride], 4*dx.Stride
	d, v, ds, xs := &dy.V[i*dy.Stride], &x.V[i*x.Stride], 4*dy.Stride, 4*x.Stride
	switch {
	case isa >= AVX512 && dgain != nil:
		normSumsGain2AVX512(d, v, unsafe.SliceData(gain), unsafe.SliceData(dgain), unsafe.SliceData(dbias), o, x.Cols, ds, xs, os, c)
	case isa >= AVX512:
		normSums2AVX512(d, v, unsafe.SliceData(gain), o, x.Cols, ds, xs, os, c)
	case isa == AVX2 && dgain != nil:
		normSumsGain2AVX2(d, v, unsafe.SliceData(gain), unsafe.SliceData(dgain), unsafe.SliceData(dbias), o, x.Cols, ds, xs, os, c)
	case isa == AVX2:
		normSums2AVX2(d, v, unsafe.SliceData(gain), o, x.Cols, ds, xs, os, c)
	default:
		return false
	}
	return true
}

// normGrad2Arch is normGradRow for rows i and i+1; c is mean, rstd and the means of each. add.V may be nil.
func normGrad2Arch(dx, dy, x, add *Matrix, i int, gain []float32, c *[8]float32) bool {
	o, d, v, os, ds, xs := &dx.V[i*dx.Stride], &dy.V[i*dy.Stride], &x.V[i*x.Stride], 4*dx.Stride, 4*dy.Stride, 4*x.Stride
	switch {
	case isa >= AVX512 && add.V != nil:
		normGradAdd2AVX512(o, d, v, unsafe.SliceData(gain), &add.V[i*add.Stride], x.Cols, os, ds, xs, 4*add.Stride, c)
	case isa >= AVX512:
		normGrad2AVX512(o, d, v, unsafe.SliceData(gain), x.Cols, os, ds, xs, c)
	case isa == AVX2 && add.V != nil:
		normGradAdd2AVX2(o, d, v, unsafe.SliceData(gain), &add.V[i*add.Stride], x.Cols, os, ds, xs, 4*add.Stride, c)
	case isa == AVX2:
		normGrad2AVX2(o, d, v, unsafe.SliceData(gain), x.Cols, os, ds, xs, c)
	default:
		return false
	}
	return true
}

func normSumsArch(dy, x, gain, dgain, dbias []float32, c *[4]float32) bool {
	switch {
	case isa >= AVX512 && dgain != nil:
		normSumsGainAVX512(unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(dgain), unsafe.SliceData(dbias), len(x), c)
	case isa >= AVX512:
		normSumsAVX512(unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), len(x), c)
	case isa == AVX2 && dgain != nil:
		normSumsGainAVX2(unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(dgain), unsafe.SliceData(dbias), len(x), c)
	case isa == AVX2:
		normSumsAVX2(unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), len(x), c)
	default:
		return false
	}
	return true
}

func normGradArch(dx, dy, x, gain, add []float32, c *[4]float32) bool {
	switch {
	case isa >= AVX512 && add != nil:
		normGradAddAVX512(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(add), len(x), c)
	case isa >= AVX512:
		normGradAVX512(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), len(x), c)
	case isa == AVX2 && add != nil:
		normGradAddAVX2(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), unsafe.SliceData(add), len(x), c)
	case isa == AVX2:
		normGradAVX2(unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gain), len(x), c)
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

// normSumsRow without dgain and dbias; c holds mean and rstd and receives the sums behind them
//
//go:noescape
func normSumsAVX2(dy, x, gain *float32, n int, c *[4]float32)

// normSumsRow without dgain and dbias; c holds mean and rstd and receives the sums behind them
//
//go:noescape
func normSumsAVX512(dy, x, gain *float32, n int, c *[4]float32)

// normSumsRow; c as in normSumsAVX2 and normSumsAVX512
//
//go:noescape
func normSumsGainAVX2(dy, x, gain, dgain, dbias *float32, n int, c *[4]float32)

// normSumsRow; c as in normSumsAVX2 and normSumsAVX512
//
//go:noescape
func normSumsGainAVX512(dy, x, gain, dgain, dbias *float32, n int, c *[4]float32)

// normGradRow without add
//
//go:noescape
func normGradAVX2(dx, dy, x, gain *float32, n int, c *[4]float32)

// normGradRow without add
//
//go:noescape
func normGradAVX512(dx, dy, x, gain *float32, n int, c *[4]float32)

// normGradRow
//
//go:noescape
func normGradAddAVX2(dx, dy, x, gain, add *float32, n int, c *[4]float32)

// normGradRow
//
//go:noescape
func normGradAddAVX512(dx, dy, x, gain, add *float32, n int, c *[4]float32)

// normSumsRow for two rows, without dgain and dbias; c holds mean, rstd and receives the sums behind them, of each;
// dx is fetched
//
//go:noescape
func normSums2AVX2(dy, x, gain, dx *float32, n, dystep, xstep, dxstep int, c *[8]float32)

// normSumsRow for two rows, without dgain and dbias; c holds mean, rstd and receives the sums behind them, of each;
// dx is fetched
//
//go:noescape
func normSums2AVX512(dy, x, gain, dx *float32, n, dystep, xstep, dxstep int, c *[8]float32)

// normSumsRow for two rows; dx is fetched
//
//go:noescape
func normSumsGain2AVX2(dy, x, gain, dgain, dbias, dx *float32, n, dystep, xstep, dxstep int, c *[8]float32)

// normSumsRow for two rows; dx is fetched
//
//go:noescape
func normSumsGain2AVX512(dy, x, gain, dgain, dbias, dx *float32, n, dystep, xstep, dxstep int, c *[8]float32)

// normGradRow for two rows, without add
//
//go:noescape
func normGrad2AVX2(dx, dy, x, gain *float32, n, dxstep, dystep, xstep int, c *[8]float32)

// normGradRow for two rows, without add
//
//go:noescape
func normGrad2AVX512(dx, dy, x, gain *float32, n, dxstep, dystep, xstep int, c *[8]float32)

// normGradRow for two rows
//
//go:noescape
func normGradAdd2AVX2(dx, dy, x, gain, add *float32, n, dxstep, dystep, xstep, addstep int, c *[8]float32)

// normGradRow for two rows
//
//go:noescape
func normGradAdd2AVX512(dx, dy, x, gain, add *float32, n, dxstep, dystep, xstep, addstep int, c *[8]float32)
