package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

const fence = 0x1.8p77

// fenced is a matrix [rows, cols] of random numbers inside a slice with a fence in front, behind and
// between the rows, transposed or not.
func fenced(rng *rand.Rand, rows, cols int, trans bool) Matrix {
	if trans {
		return fenced(rng, cols, rows, false).T()
	}
	stride := cols + 3
	v := make([]float32, rows*stride+13)
	for i := range v {
		v[i] = fence
	}
	m := Matrix{V: v[5 : len(v)-5], Rows: rows, Cols: cols, Stride: stride}
	for i := range rows {
		for j := range cols {
			m.V[i*stride+j] = float32(rng.NormFloat64())
		}
	}
	return m
}

// checkFences fails if something outside the elements of m changed.
func checkFences(t *testing.T, m Matrix) {
	t.Helper()
	if m.Trans {
		m = m.T()
	}
	bad := 0
	for i, x := range m.V {
		if (i/m.Stride >= m.Rows || i%m.Stride >= m.Cols) && x != fence {
			bad++
		}
	}
	if bad > 0 {
		t.Errorf("%d elements outside the matrix [%d, %d] were overwritten", bad, m.Rows, m.Cols)
	}
}

// product is a·b in float64, and the sums of the magnitudes of its terms.
func product(a, b Matrix) (sum, size []float64) {
	sum, size = make([]float64, a.Rows*b.Cols), make([]float64, a.Rows*b.Cols)
	for i := range a.Rows {
		for k := range a.Cols {
			x := float64(a.at(i, k))
			for j := range b.Cols {
				y := x * float64(b.at(k, j))
				sum[i*b.Cols+j] += y
				size[i*b.Cols+j] += math.Abs(y)
			}
		}
	}
	return sum, size
}

// checkProduct compares c with want; the error may be tol times the size of the terms.
func checkProduct(t *testing.T, c Matrix, want, size []float64, tol float64) {
	t.Helper()
	for i := range c.Rows {
		for j := range c.Cols {
			got, at := float64(c.at(i, j)), i*c.Cols+j
			if e := math.Abs(got - want[at]); !(e <= tol*size[at]) {
				t.Fatalf("c[%d][%d] = %v, want %v ± %.2g", i, j, got, want[at], tol*size[at])
			}
		}
	}
}

// formatError is what a product may be off by, relative to the size of its terms.
func formatError(f Format, k int) float64 {
	sums := 0x1p-24 * float64(k+4)
	switch f {
	case BF16:
		return 0x1p-7 + sums
	case BF16x2:
		return 0x1p-14 + 3*sums
	case BF16x3:
		return 6 * sums
	case BF16W:
		return 0x1p-8 + sums
	case Int8:
		return 1 // see TestGemmInt8
	}
	return sums
}

var allFormats = []Format{F32, BF16, BF16x2, BF16x3, BF16W, Int8}

var gemmShapes = [][3]int{
	{0, 3, 5}, {3, 0, 5}, {3, 5, 0}, {1, 1, 1}, {2, 1, 31}, {1, 2, 32}, {3, 7, 33}, {5, 13, 29},
	{2, 19, 150}, {4, 33, 330}, {3, 1600, 350}, {1, 801, 230}, {13, 31, 64}, {14, 32, 65}, {15, 33, 96}, {16, 64, 97}, {17, 65, 31}, {28, 101, 127}, {29, 331, 61}, {43, 17, 257}, {181, 353, 67}, {127, 1801, 37}, // the last in three passes
}

func TestGemm(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, f := range allFormats {
			for _, s := range gemmShapes {
				for trans := range 4 {
					m, k, n := s[0], s[1], s[2]
					rng := rand.New(rand.NewPCG(uint64(m*1000+k), uint64(n)))
					a, b := fenced(rng, m, k, trans&1 > 0), fenced(rng, k, n, trans&2 > 0)
					c := fenced(rng, m, n, false)
					want, size := product(a, b)
					t.Run(fmt.Sprint(f, s, trans), func(t *testing.T) {
						var p Packed
						p.Pack(b, f)
						Gemm(c, a, &p, nil)
						tol := formatError(f, k)
						if f == Int8 { // a step of the scale is at most 1/127 of the greatest magnitude
							for j := range n {
								var most float64
								for q := range k {
									most = max(most, math.Abs(float64(b.at(q, j))))
								}
								for i := range m {
									var sum float64
									for q := range k {
										sum += math.Abs(float64(a.at(i, q)))
									}
									size[i*n+j] = sum * most
								}
							}
							tol = 0.5/127 + formatError(F32, k)*2
						}
						checkProduct(t, c, want, size, tol)
						checkFences(t, c)
					})
				}
			}
		}
	})
}

func TestGemmBoth(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		for trans := range 4 {
			a, b := fenced(rng, 77, 301, trans&1 > 0), fenced(rng, 301, 131, trans&2 > 0)
			c := fenced(rng, 77, 131, false)
			want, size := product(a, b)
			for _, p := range []Precision{Float32, High, BFloat16} {
				GemmBoth(c, a, b, p, nil)
				checkProduct(t, c, want, size, formatError(FormatFor(p), 301))
				checkFences(t, c)
			}
		}
	})
}

// bitsOf is what to compare when results must be equal to the bit.
func bitsOf(m Matrix, i int) []uint32 {
	out := make([]uint32, m.Cols)
	for j := range out {
		out[j] = math.Float32bits(m.at(i, j))
	}
	return out
}

// A right operand that is packed piece by piece gives bit for bit what a whole one gives, with every epilogue.
func TestGemmBothInPieces(t *testing.T) {
	defer func(n int) { pieceSize = n }(pieceSize)
	eachISA(t, func(t *testing.T) {
		const m, k, n = 9, 37, 3*panelCols + 5
		for _, trans := range []bool{false, true} {
			for _, prec := range []Precision{Float32, BFloat16} {
				var got [2][]float32
				for i, size := range []int{4 << 20, 2 * k * panelCols} {
					pieceSize = size
					rng := rand.New(rand.NewPCG(5, 6))
					a, b, bias := fenced(rng, m, k, false), fenced(rng, k, n, trans), fenced(rng, 1, n, false)
					c, pre, grad := fenced(rng, m, n, false), fenced(rng, m, n, false), fenced(rng, m, n, false)
					GemmBoth(c, a, b, prec, &Epilogue{Bias: bias.segment(0, 0, n), Act: GELUTanh, Pre: &pre, GradOf: Tanh, GradPre: &grad, Residual: &c})
					GemmBoth(grad, a, b, prec, nil)
					preRounded, check := guardedRounded(m, n)
					result, free := guardedRounded(m, n)
					GemmBoth(Matrix{Rows: m, Cols: n, Stride: n}, a, b, prec, &Epilogue{Bias: bias.segment(0, 0, n), Act: GELUTanh, PreRounded: &preRounded,
						GradOf: Tanh, GradPreRounded: &preRounded, Result: &result})
					check(t, "PreRounded")
					free(t, "Result")
					wide := [2]Matrix{fenced(rng, m, n, false), fenced(rng, m, n, false)}
					preRounded.Widen(wide[0])
					result.Widen(wide[1])
					for _, x := range []Matrix{c, pre, grad, wide[0], wide[1]} {
						checkFences(t, x)
						for r := range m {
							got[i] = append(got[i], x.segment(r, 0, n)...)
						}
					}
				}
				if !slices.Equal(got[0], got[1]) {
					t.Errorf("trans %v, %v: pieces differ", trans, prec)
				}
			}
		}
	})
}

// A row's result does not depend on the rows around it, on how the product is cut, or on the workers.
func TestGemmBatchInvariant(t *testing.T) {
	const m, n = 131, 105
	eachISA(t, func(t *testing.T) {
		for _, f := range allFormats {
			for _, k := range []int{37, 700} {
				rng := rand.New(rand.NewPCG(uint64(f), uint64(k)))
				a, b, bias := fenced(rng, m, k, false), fenced(rng, k, n, false), fenced(rng, 1, n, false)
				ep := &Epilogue{Bias: bias.V[:n], Act: GELUTanh}
				var p Packed
				p.Pack(b, f)
				whole := Mat(make([]float32, m*n), m, n)
				Gemm(whole, a, &p, ep)
				check := func(name string, rows []int, procs int, trans bool) {
					t.Helper()
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					sub := fenced(rng, len(rows), k, trans)
					for i, r := range rows {
						for q := range k {
							at := i*sub.Stride + q
							if trans {
								at = q*sub.Stride + i
							}
							sub.V[at] = a.at(r, q)
						}
					}
					c := Mat(make([]float32, len(rows)*n), len(rows), n)
					Gemm(c, sub, &p, ep)
					for i, r := range rows {
						got, want := bitsOf(c, i), bitsOf(whole, r)
						for j := range got {
							if got[j] != want[j] {
								t.Fatalf("%v k=%d %s: row %d column %d is %x, with all rows %x", f, k, name, r, j, got[j], want[j])
							}
						}
					}
				}
				for size := 1; size <= 20; size++ {
					check(fmt.Sprint(size, " rows"), rng.Perm(m)[:size], 1+size%3, size%2 == 0)
				}
				for size := 15; tallRows() > 0 && size <= 65; size++ {
					check(fmt.Sprint(size, " rows"), rng.Perm(m)[:size], 1+size%2, false)
				}
				check("shuffled", rng.Perm(m), 2, false)
				check("transposed", rng.Perm(m), 1, true)
			}
		}
	})
}

// A second product with the same memory allocates nothing.
func TestGemmAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, m := range []int{3, 70} {
		a, b, c := fenced(rng, m, 64, false), fenced(rng, 64, 200, false), fenced(rng, m, 200, false)
		for _, f := range allFormats {
			var p Packed
			p.Pack(b, f)
			bias := make([]float32, 200)
			work := func() {
				p.Pack(b, f)
				Gemm(c, a, &p, &Epilogue{Bias: bias, Residual: &c})
				GemmBoth(c, a, b, Float32, nil)
			}
			work()
			if got := testing.AllocsPerRun(20, work); got >= 1 {
				t.Errorf("m=%d %v: %v allocations", m, f, got)
			}
		}
	}
}
