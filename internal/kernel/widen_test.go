package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestWidenPairs(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 1))
		for _, depth := range []int{0, 1, 2, 3, 8, 37} {
			src := make([]uint16, (depth+1)/2*2*panelCols)
			for i := range src {
				src[i] = uint16(rng.Uint32()) // NaNs and infinities among them
			}
			dst := newGuarded(depth*panelCols, depth%5)
			widenPairs(dst.v, src, depth)
			dst.check(t, "widened")
			for k := range depth {
				for j := range panelCols {
					got, want := math.Float32bits(dst.v[k*panelCols+j]), uint32(src[k/2*2*panelCols+2*j+k%2])<<16
					if got != want {
						t.Fatalf("depth %d: row %d column %d is %x, want %x", depth, k, j, got, want)
					}
				}
			}
		}
	})
}

func TestWidenBytes(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, rows := range []int{0, 1, 2, 7, 9} {
			src := make([]int8, rows*panelCols)
			for i := range src {
				src[i] = int8(i) // all of them, with eight rows
			}
			dst := newGuarded(len(src), rows)
			widenBytes(dst.v, src)
			dst.check(t, "widened")
			for i, x := range src {
				if dst.v[i] != float32(x) {
					t.Fatalf("%d rows: element %d is %v, want %d", rows, i, dst.v[i], x)
				}
			}
		}
	})
}

// Every plane is what rounding the rest to bfloat16 gives, and in one piece or several makes no difference.
func TestTakePlane(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(4, 1))
		for _, n := range []int{0, 1, planePiece - 1, planePiece, 2*planePiece + 13} {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(rng.NormFloat64())
			}
			for plane := range 3 {
				got := newGuarded(n, plane)
				copy(got.v, x)
				takePlane(got.v, plane)
				got.check(t, "the plane")
				for i, rest := range x {
					for range plane {
						rest -= roundBF16(rest)
					}
					if want := roundBF16(rest); got.v[i] != want {
						t.Fatalf("n %d: element %d of plane %d is %v, want %v", n, i, plane, got.v[i], want)
					}
				}
			}
		}
	})
}
