package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestGatherColumns holds columns of operands in every format against the matrix they were packed from.
func TestGatherColumns(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, f := range allFormats {
			for _, s := range [][2]int{{1, 1}, {7, 33}, {32, 64}, {101, 257}} {
				k, n := s[0], s[1]
				t.Run(fmt.Sprint(f, s), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(uint64(k), uint64(n)))
					table := fenced(rng, n, k, false)
					var p Packed
					p.Pack(table.T(), f)
					idx := []int32{int32(n - 1), -1, 0, int32(n / 2)}
					dst := fenced(rng, len(idx), k, false)
					before := make([]float32, len(idx)*k)
					for i := range idx {
						copy(before[i*k:], dst.segment(i, 0, k))
					}
					for _, add := range []bool{true, false} {
						GatherColumns(dst, &p, idx, add)
						checkFences(t, dst)
						for i, from := range idx {
							most := 0.0
							for c := range k {
								if from >= 0 {
									most = max(most, math.Abs(float64(table.at(int(from), c))))
								}
							}
							for c := range k {
								want := 0.0
								if add {
									want = float64(before[i*k+c])
								}
								tol := 1e-6 * math.Abs(want)
								if from >= 0 {
									x := float64(table.at(int(from), c))
									want += x
									switch f {
									case F32:
										tol += 0
									case Int8:
										tol += most / 127 * 0.51
									case BF16x2:
										tol += 0x1p-15 * math.Abs(x)
									case BF16x3:
										tol += 0x1p-22 * math.Abs(x)
									default:
										tol += 0x1p-8 * math.Abs(x)
									}
								}
								if got := float64(dst.at(i, c)); !(math.Abs(got-want) <= tol+1e-6*math.Abs(want)) {
									t.Fatalf("add %v: row %d, column %d is %v, want %v ± %.2g", add, i, c, got, want, tol)
								}
							}
						}
					}
				})
			}
		}
	})
}

// TestRowsAreAlone: a row of a product is the same number for number among any others, few (rows.go) or many (gemm.go).
func TestRowsAreAlone(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, f := range allFormats {
			for _, s := range [][2]int{{5, 31}, {33, 64}, {770, 100}, {2050, 33}} {
				k, n := s[0], s[1]
				rng := rand.New(rand.NewPCG(uint64(k), uint64(n)))
				const most = 150
				a, b := fenced(rng, most, k, false), fenced(rng, k, n, false)
				var p Packed
				p.Pack(b, f)
				bias := make([]float32, n)
				for i := range bias {
					bias[i] = float32(rng.NormFloat64())
				}
				ep := &Epilogue{Bias: bias, Act: GELUTanh}
				all := fenced(rng, most, n, false)
				Gemm(all, a, &p, ep)
				for _, m := range []int{1, 2, 3, 5, 7, 14, 15, 16, 29, 63, 64, 65} {
					first := (m * 7) % (most - m)
					some, c := a, fenced(rng, m, n, false)
					some.V, some.Rows = a.V[first*a.Stride:], m
					Gemm(c, some, &p, ep)
					checkFences(t, c)
					for i := range m {
						for j := range n {
							if got, want := c.at(i, j), all.at(first+i, j); math.Float32bits(got) != math.Float32bits(want) {
								t.Fatalf("%v %v: row %d of %d is %v in column %d, among %d %v", f, s, i, m, got, j, most, want)
							}
						}
					}
				}
			}
		}
	})
}

// TestColumns holds products by a part of an operand's columns against those columns of the product by all of it.
func TestColumns(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(11, 3))
		const m, k, n = 5, 37, 131
		for _, f := range allFormats {
			var p Packed
			p.Pack(fenced(rng, k, n, false), f)
			a, all := fenced(rng, m, k, false), fenced(rng, m, n, false)
			Gemm(all, a, &p, nil)
			for _, cut := range [][2]int{{0, n}, {0, 32}, {32, 64}, {64, 67}, {96, 35}, {128, 3}, {96, 0}} {
				part := p.Columns(cut[0], cut[1])
				c := fenced(rng, m, cut[1], false)
				Gemm(c, a, part, nil)
				checkFences(t, c)
				for i := range m {
					for j := range cut[1] {
						if c.at(i, j) != all.at(i, cut[0]+j) {
							t.Fatalf("%v, columns %d+%d: %v at %d %d, want %v", f, cut[0], cut[1], c.at(i, j), i, j, all.at(i, cut[0]+j))
						}
					}
				}
			}
			for _, cut := range [][2]int{{16, 32}, {96, 36}, {160, 1}} {
				if p.Columns(cut[0], cut[1]) != nil {
					t.Errorf("%v has columns %d+%d of %d", f, cut[0], cut[1], n)
				}
			}
		}
	})
}
