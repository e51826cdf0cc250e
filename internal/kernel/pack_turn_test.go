package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// The transpose of a packed operand is the packed transpose, bit for bit.
func TestPackTransposed(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		var got, want, from Packed // reused, so that old content must not shine through
		for _, s := range [][2]int{{1, 1}, {2, 31}, {3, 32}, {31, 33}, {129, 64}, {130, 65}, {64, 301}, {96, 96}} {
			rng := rand.New(rand.NewPCG(uint64(s[0]), uint64(s[1])))
			b := fenced(rng, s[0], s[1], false)
			for _, f := range []Format{F32, BF16, BF16x2, BF16x3, BF16W} {
				t.Run(fmt.Sprint(s, f), func(t *testing.T) {
					from.Pack(b, f)
					want.Pack(b.T(), f)
					got.PackTransposed(&from)
					if got.k != want.k || got.n != want.n || got.kp != want.kp || got.format != f || !slices.Equal(asU16(got.mem), asU16(want.mem)) {
						t.Errorf("%d by %d differs", got.k, got.n)
					}
				})
			}
		}
	})
}

func BenchmarkPackTransposed(b *testing.B) {
	for _, f := range []Format{F32, BF16} {
		b.Run(f.String(), func(b *testing.B) {
			var to [2]Packed
			var from [36]Packed // more than a cache holds, as in a model
			for i := range from {
				from[i].Pack(Mat(make([]float32, 768*3072), 768, 3072), f)
			}
			b.SetBytes(int64(from[0].Bytes()))
			for i := 0; b.Loop(); i++ {
				to[0].PackTransposed(&from[i%len(from)])
			}
		})
	}
}
