package gpu_test

import (
	"math"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/kernel"
)

// shapes are rows and columns that fill no block.
var shapes = [][2]int{{0, 3}, {1, 1}, {1, 257}, {3, 31}, {7, 33}, {17, 101}, {131, 5}, {259, 67}}

// mat is a host matrix with the device's stride.
func mat(v []float32, rows, cols, stride int) kernel.Matrix {
	if rows == 0 {
		return kernel.Matrix{Rows: rows, Cols: cols, Stride: stride}
	}
	return kernel.Matrix{V: v[:(rows-1)*stride+cols], Rows: rows, Cols: cols, Stride: stride}
}

func TestElementwise(t *testing.T) {
	b := open(t)
	acts := map[gpu.Activation]kernel.Activation{gpu.GELUTanh: kernel.GELUTanh, gpu.QuickGELU: kernel.QuickGELU, gpu.GELUErf: kernel.GELUErf,
		gpu.ReLU: kernel.ReLU, gpu.Tanh: kernel.Tanh, gpu.NoActivation: kernel.None}
	for _, n := range []int{1, 255, 1031} {
		xv, yv := b.random(n), b.random(n)
		for i := range xv {
			xv[i] *= float32(i%7) * 1.5 // also large and zero
		}
		x, y, out, want := b.dense(xv, 1, n), b.dense(yv, 1, n), b.zeros(1, n), make([]float32, n)
		for a, host := range acts {
			b.dev.Activate(out, x, a)
			kernel.Act(want, xv, host)
			b.check("activate", out, want, 5e-7)
			b.dev.ActivateGrad(out, y, x, a)
			kernel.ActGrad(want, yv, xv, host)
			b.check("activate grad", out, want, 1e-6)
		}
		b.dev.Add(out, x, y)
		kernel.Add(want, xv, yv)
		b.check("add", out, want, 0)
		b.dev.Scale(out, x, b.dense([]float32{0.37}, 1, 1))
		kernel.Scale(want, xv, 0.37)
		b.check("scale", out, want, 0)
		state := []int32{7, -3, 5, 0}
		b.dev.Dropout(out, x, gpu.Mask{P: 0.3, State: b.ints(state...), Site: 9})
		kernel.Dropout(want, xv, 0.3, kernel.DropoutKey(uint64(uint32(7))|uint64(0xfffffffd)<<32, 5, 9), 0)
		b.check("dropout", out, want, 0)
	}
}

// Activations keep NaN, and neither overflow nor lose their limits.
func TestActivateExtremes(t *testing.T) {
	b := open(t)
	inf := float32(math.Inf(1))
	xs := []float32{0, 1e-30, -1e-30, 1e-4, 80, -80, 100, -100, 1e30, -1e30, inf, float32(math.NaN())}
	x, out := b.dense(xs, 1, len(xs)), b.zeros(1, len(xs))
	for _, a := range []gpu.Activation{gpu.GELUTanh, gpu.QuickGELU, gpu.GELUErf, gpu.ReLU, gpu.Tanh} {
		b.dev.Activate(out, x, a)
		for i, y := range b.down(out) {
			switch v := xs[i]; {
			case v != v && y == y:
				t.Errorf("activation %d of NaN is %g", a, y)
			case v >= 80 && a != gpu.Tanh && y != v, v >= 80 && a == gpu.Tanh && y != 1:
				t.Errorf("activation %d of %g is %g", a, v, y)
			case v <= -80 && a != gpu.Tanh && math.Abs(float64(y)) > 1e-6, v <= -80 && a == gpu.Tanh && y != -1:
				t.Errorf("activation %d of %g is %g", a, v, y)
			}
		}
	}
}

func TestNorms(t *testing.T) {
	for _, s := range shapes {
		b := open(t)
		rows, cols := s[0], s[1]
		stride := cols + 2
		xv, dv, gain, bias := b.random(rows*stride), b.random(rows*stride), b.random(cols), b.random(cols)
		x, dy := b.up(xv, rows, cols, stride), b.up(dv, rows, cols, stride)
		y, mean, rstd := b.zeros(rows, cols), b.zeros(1, rows), b.zeros(1, rows)
		want, wm, wr := make([]float32, rows*cols), make([]float32, rows), make([]float32, rows)
		g := b.dense(gain, 1, cols)
		b.dev.LayerNorm(y, x, g, b.dense(bias, 1, cols), 1e-5, mean, rstd)
		kernel.LayerNorm(mat(want, rows, cols, cols), mat(xv, rows, cols, stride), gain, bias, 1e-5, wm, wr)
		b.check("layer norm", y, want, 2e-6)
		b.check("mean", mean, wm, 1e-6)
		b.check("rstd", rstd, wr, 2e-6)

		dx, dgain, dbias := b.zeros(rows, cols), b.zeros(1, cols), b.zeros(1, cols)
		wg, wb := make([]float32, cols), make([]float32, cols)
		b.must(b.dev.LayerNormGrad(dx, dgain, dbias, dy, x, g, mean, rstd))
		kernel.LayerNormGrad(mat(want, rows, cols, cols), mat(dv, rows, cols, stride), mat(xv, rows, cols, stride), gain, wm, wr, wg, wb)
		limit := 4e-6
		if cols == 1 { // what is left of numbers hundreds of times as large
			limit = 1e-4
		}
		b.check("layer norm dx", dx, want, limit)
		b.check("dgain", dgain, wg, 4e-6)
		b.check("dbias", dbias, wb, 4e-6)

		b.must(b.dev.ColSum(dbias, x))
		kernel.ColSum(wb, mat(xv, rows, cols, stride), false)
		b.check("column sums", dbias, wb, 2e-6)

		if cols > 1 {
			b.dev.L2Normalize(y, x, mean)
			kernel.L2Normalize(mat(want, rows, cols, cols), mat(xv, rows, cols, stride), wm)
			b.check("l2", y, want, 1e-6)
			b.check("norm", mean, wm, 1e-6)
			b.dev.L2NormalizeGrad(dx, dy, y, mean)
			wd := make([]float32, rows*cols)
			kernel.L2NormalizeGrad(mat(wd, rows, cols, cols), mat(dv, rows, cols, stride), mat(want, rows, cols, cols), wm)
			b.check("l2 grad", dx, wd, 2e-6)
		}
		b.dev.Zero(x)
		b.check("zero", x, make([]float32, rows*cols), 0)
	}
}

// Rows go where indices say; what meets in one place is added in a fixed order, whatever order the grid runs in.
func TestGatherScatter(t *testing.T) {
	for _, cols := range []int{1, 5, 300} {
		var first []float32
		for _, reverse := range []bool{false, true} {
			b := open(t)
			b.reverse(reverse)
			idx := []int32{3, -1, 0, 3, 3, 6, 0, -1, 6, 3, 2}
			sv, dv := b.random(7*(cols+1)), b.random(len(idx)*cols)
			src, dst := b.up(sv, 7, cols, cols+1), b.dense(dv, len(idx), cols)
			at := b.ints(idx...)
			for _, add := range []bool{true, false} {
				b.dev.Gather(dst, src, at, len(idx), add)
				kernel.Gather(mat(dv, len(idx), cols, cols), mat(sv, 7, cols, cols+1), idx, add)
				b.check("gather", dst, dv, 0)
			}
			b.must(b.dev.ScatterAdd(src, dst, at, len(idx)))
			kernel.ScatterAdd(mat(sv, 7, cols, cols+1), mat(dv, len(idx), cols, cols), idx)
			got := b.down(src)
			for i := range 7 {
				b.compare("scatter", got[i*cols:][:cols], sv[i*(cols+1):][:cols], 1e-6)
			}
			if reverse && !slices.Equal(got, first) {
				t.Error("the result depends on the order of the blocks")
			}
			first = got
		}
	}
}

// Many rows for few and for many places: each place gets its rows one after the other, to the last bit.
func TestScatterAddManyRows(t *testing.T) {
	for _, places := range []int{3, 400} {
		b := open(t)
		const n, cols = 700, 5
		idx := make([]int32, n)
		for i := range idx {
			idx[i] = int32(b.rng.IntN(places+2) - 2)
		}
		sv, dv := b.random(n*cols), b.random(places*cols)
		dst := b.dense(dv, places, cols)
		b.must(b.dev.ScatterAdd(dst, b.dense(sv, n, cols), b.ints(idx...), n))
		for i, k := range idx {
			for j := range cols {
				if k >= 0 {
					dv[int(k)*cols+j] += sv[i*cols+j]
				}
			}
		}
		b.check("sums", dst, dv, 0)
	}
}

func TestAdamW(t *testing.T) {
	b := open(t)
	var us []gpu.Update
	var ps, ms, vs, gs [][]float32
	var want float64
	for i, n := range []int{1, 1023, 0, 1025, 4099} {
		p, m, v, g := b.random(n), b.random(n), b.random(n), b.random(n)
		for j := range v {
			v[j] *= v[j]
		}
		ps, ms, vs, gs = append(ps, p), append(ms, m), append(vs, v), append(gs, g)
		at := func(x []float32) gpu.Ptr { return b.dense(x, 1, n).Ptr }
		us = append(us, gpu.Update{P: at(p), M: at(m), V: at(v), G: at(g), N: n, WeightDecay: float32(i) * 0.01})
		want += kernel.SumSquares(g)
	}
	if got, err := b.dev.SumSquares(us); err != nil || math.Abs(got-want) > 1e-5*want {
		t.Errorf("Σ g² = %g, want %g; %v", got, want, err)
	}
	for step := 1; step <= 3; step++ {
		b.rec.Forget()
		b.must(b.dev.AdamW(us, &gpu.AdamW{LR: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, Step: step, Scale: 0.5}))
		b.must(b.dev.Flush())
		if got := b.rec.Launches(); len(got) != 1 || b.rec.Count("Upload") > 0 {
			t.Errorf("%v for a step, %d uploads", got, b.rec.Count("Upload"))
		}
		for i := range us {
			o := kernel.AdamW{LR: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-6, WeightDecay: us[i].WeightDecay, Step: step}
			o.Update(ps[i], ms[i], vs[i], gs[i], 0.5)
			n := us[i].N
			b.check("p", gpu.Matrix{Ptr: us[i].P, Rows: 1, Cols: n, Stride: n}, ps[i], 1e-6)
			b.check("m", gpu.Matrix{Ptr: us[i].M, Rows: 1, Cols: n, Stride: n}, ms[i], 1e-6)
			b.check("v", gpu.Matrix{Ptr: us[i].V, Rows: 1, Cols: n, Stride: n}, vs[i], 1e-6)
		}
	}
}
