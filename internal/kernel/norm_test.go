package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// normShapes are rows and columns.
var normShapes = [][2]int{{0, 8}, {1, 1}, {1, 768}, {3, 5}, {5, 17}, {7, 61}, {2, 131}, {130, 64}, {301, 769},
	{4, 95}, {5, 96}, {6, 97}, {65, 33}, {2, 400}}

func TestLayerNorm(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, s := range normShapes {
			rows, cols := s[0], s[1]
			x, _ := guardedMatrix(r, rows, cols)
			y, check := guardedMatrix(r, rows, cols)
			gain, bias := filled(cols, 1, func() float32 { return 1 + normal(r) }), filled(cols, 2, func() float32 { return normal(r) })
			mean, rstd := newGuarded(rows, 0), newGuarded(rows, 1)
			LayerNorm(y, x, gain.v, bias.v, 1e-5, mean.v, rstd.v)
			check(t, "LayerNorm")
			mean.check(t, "mean")
			rstd.check(t, "rstd")
			for i := range rows {
				want, m, d := layerNorm64(x.row(i), gain.v, bias.v, 1e-5)
				near(t, "mean", mean.v[i], m, 1e-6)
				near(t, "rstd", rstd.v[i], d, 2e-6)
				for j := range cols {
					near(t, fmt.Sprintf("%dx%d: y[%d][%d]", rows, cols, i, j), y.row(i)[j], want[j], 4e-6)
				}
				one := make([]float32, cols) // a row alone gives the same bits
				LayerNorm(Mat(one, 1, cols), Mat(x.row(i), 1, cols), gain.v, bias.v, 1e-5, nil, nil)
				if !slices.Equal(one, y.row(i)) {
					t.Fatalf("%dx%d: row %d depends on the others", rows, cols, i)
				}
			}
			LayerNorm(x, x, gain.v, bias.v, 1e-5, nil, nil)
			for i := range rows {
				if !slices.Equal(x.row(i), y.row(i)) {
					t.Fatalf("%dx%d: row %d differs in place", rows, cols, i)
				}
			}
		}
	})
}

func layerNorm64(x, gain, bias []float32, eps float64) (y []float64, mean, rstd float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += float64(v) / n
	}
	variance := 0.0
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean) / n
	}
	rstd = 1 / math.Sqrt(variance+eps)
	for j, v := range x {
		y = append(y, (float64(v)-mean)*rstd*float64(gain[j])+float64(bias[j]))
	}
	return y, mean, rstd
}

// A row far from zero keeps its variance.
func TestLayerNormOffset(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		x, y, one, zero := make([]float32, 768), make([]float32, 768), make([]float32, 768), make([]float32, 768)
		for j := range x {
			x[j], one[j] = 1000+normal(r), 1
		}
		LayerNorm(Mat(y, 1, 768), Mat(x, 1, 768), one, zero, 1e-5, nil, nil)
		want, _, _ := layerNorm64(x, one, zero, 1e-5)
		for j := range y {
			near(t, "y", y[j], want[j], 2e-4)
		}
	})
}

// The gradients against central differences of the float64 form, and their pieces against each other.
func TestLayerNormGrad(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		for _, s := range normShapes {
			rows, cols := s[0], s[1]
			x, _ := guardedMatrix(r, rows, cols)
			dy, _ := guardedMatrix(r, rows, cols)
			dx, check := guardedMatrix(r, rows, cols)
			gain, mean, rstd := filled(cols, 1, func() float32 { return 1 + normal(r) }), newGuarded(rows, 2), newGuarded(rows, 0)
			zero, y := make([]float32, cols), make([]float32, rows*cols)
			LayerNorm(Mat(y, rows, cols), x, gain.v, zero, 1e-5, mean.v, rstd.v)
			dgain, dbias := newGuarded(cols, 0), newGuarded(cols, 1)
			LayerNormGrad(dx, dy, x, gain.v, mean.v, rstd.v, dgain.v, dbias.v)
			check(t, "dx")
			dgain.check(t, "dgain")
			dbias.check(t, "dbias")
			wg, wb := make([]float64, cols), make([]float64, cols)
			for i := range rows {
				want := layerNormGrad64(dy.row(i), x.row(i), gain.v, wg, wb)
				for j := range cols {
					scale := max(1, float64(rstd.v[i]))
					near(t, fmt.Sprintf("%dx%d: dx[%d][%d]", rows, cols, i, j), dx.row(i)[j], want[j], 1e-5*scale)
				}
			}
			for j := range cols {
				tol := 1e-5 * math.Sqrt(float64(rows))
				near(t, "dgain", dgain.v[j], wg[j], tol)
				near(t, "dbias", dbias.v[j], wb[j], tol)
			}
			testLayerNormGradForms(t, dx, dy, x, gain.v, mean.v, rstd.v, dgain.v, dbias.v)
		}
	})
}

// testLayerNormGradForms compares the forms with parts left out, on any number of workers.
func testLayerNormGradForms(t *testing.T, dx, dy, x Matrix, gain, mean, rstd, dgain, dbias []float32) {
	t.Helper()
	rows, cols := x.Rows, x.Cols
	onWorkers(func() {
		g, b, alone := make([]float32, cols), make([]float32, cols), Mat(make([]float32, rows*cols), rows, cols)
		LayerNormGrad(Matrix{}, dy, x, gain, mean, rstd, g, b)
		if !slices.Equal(g, dgain) || !slices.Equal(b, dbias) {
			t.Fatalf("%dx%d: dgain, dbias differ without dx", rows, cols)
		}
		LayerNormGrad(alone, dy, x, gain, mean, rstd, nil, nil)
		for i := range rows {
			if !slices.Equal(alone.row(i), dx.row(i)) {
				t.Fatalf("%dx%d: dx differs without dgain", rows, cols)
			}
		}
		for i := range rows { // in place
			copy(alone.row(i), dy.row(i))
		}
		LayerNormGrad(alone, alone, x, gain, mean, rstd, g, b)
		for i := range rows {
			if !slices.Equal(alone.row(i), dx.row(i)) {
				t.Fatalf("%dx%d: dx differs in place", rows, cols)
			}
		}
	})
}

func layerNormGrad64(dy, x, gain []float32, dgain, dbias []float64) []float64 {
	n := float64(len(x))
	_, mean, rstd := layerNorm64(x, gain, gain, 1e-5)
	var g, gx float64
	for j := range x {
		h := (float64(x[j]) - mean) * rstd
		g += float64(dy[j]) * float64(gain[j]) / n
		gx += float64(dy[j]) * float64(gain[j]) * h / n
		dgain[j] += float64(dy[j]) * h
		dbias[j] += float64(dy[j])
	}
	dx := make([]float64, len(x))
	for j := range x {
		h := (float64(x[j]) - mean) * rstd
		dx[j] = rstd * (float64(dy[j])*float64(gain[j]) - g - h*gx)
	}
	return dx
}

// The formula itself, by central differences.
func TestLayerNormGradFormula(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	const n = 6
	x, dy, gain := make([]float32, n), make([]float32, n), make([]float32, n)
	for j := range x {
		x[j], dy[j], gain[j] = normal(r), normal(r), normal(r)
	}
	loss := func() (s float64) {
		y, _, _ := layerNorm64(x, gain, gain, 1e-5)
		for j := range y {
			s += y[j] * float64(dy[j])
		}
		return s
	}
	got := layerNormGrad64(dy, x, gain, make([]float64, n), make([]float64, n))
	for j := range x {
		const h = 1.0 / 128
		x[j] += h
		up := loss()
		x[j] -= 2 * h
		down := loss()
		x[j] += h
		if want := (up - down) / (2 * h); math.Abs(got[j]-want) > 1e-2*max(1, math.Abs(want)) {
			t.Errorf("dx[%d] = %v, want %v", j, got[j], want)
		}
	}
}

func TestL2Normalize(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 5))
		for _, s := range normShapes {
			rows, cols := s[0], s[1]
			x, _ := guardedMatrix(r, rows, cols)
			dy, _ := guardedMatrix(r, rows, cols)
			y, checkY := guardedMatrix(r, rows, cols)
			dx, checkX := guardedMatrix(r, rows, cols)
			if rows > 1 {
				clear(x.row(1))
			}
			norm := newGuarded(rows, 1)
			L2Normalize(y, x, norm.v)
			L2NormalizeGrad(dx, dy, y, norm.v)
			checkY(t, "L2Normalize")
			checkX(t, "L2NormalizeGrad")
			norm.check(t, "norm")
			for i := range rows {
				var sq, dot float64
				for _, v := range x.row(i) {
					sq += float64(v) * float64(v)
				}
				n := math.Sqrt(sq)
				near(t, "norm", norm.v[i], n, 1e-6)
				inv := 0.0
				if n > 0 {
					inv = 1 / n
				}
				for j, v := range x.row(i) {
					near(t, "y", y.row(i)[j], float64(v)*inv, 1e-6)
					dot += float64(dy.row(i)[j]) * float64(v) * inv
				}
				for j, v := range x.row(i) {
					want := (float64(dy.row(i)[j]) - float64(v)*inv*dot) * inv
					near(t, "dx", dx.row(i)[j], want, 1e-5*max(1, inv))
				}
			}
		}
	})
}

func BenchmarkLayerNorm(b *testing.B) {
	const rows, cols = 1200, 768
	x, y, z := Mat(make([]float32, rows*cols), rows, cols), Mat(make([]float32, rows*cols), rows, cols), Mat(make([]float32, rows*cols), rows, cols)
	r := rand.New(rand.NewPCG(6, 6))
	for i := range x.V {
		x.V[i], y.V[i] = normal(r), normal(r)
	}
	gain, bias, mean, rstd := make([]float32, cols), make([]float32, cols), make([]float32, rows), make([]float32, rows)
	b.Run("forward", func(b *testing.B) {
		b.SetBytes(8 * rows * cols)
		for b.Loop() {
			LayerNorm(z, x, gain, bias, 1e-5, mean, rstd)
		}
	})
	b.Run("backward", func(b *testing.B) {
		b.SetBytes(12 * rows * cols)
		for b.Loop() {
			LayerNormGrad(z, y, x, gain, mean, rstd, gain, bias)
		}
	})
	b.Run("backward-frozen", func(b *testing.B) {
		b.SetBytes(12 * rows * cols)
		for b.Loop() {
			LayerNormGrad(z, y, x, gain, mean, rstd, nil, nil)
		}
	})
}
