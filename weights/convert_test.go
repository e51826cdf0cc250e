package weights

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/clipcap-go/clipcap/internal/half"
)

// TestHalvesOfAFile: all 65536 patterns, NaN's bits included, at both kinds of address and at odd lengths, are what each is alone.
func TestHalvesOfAFile(t *testing.T) {
	const guard = 12345.5
	raw := make([]byte, 2<<16+1)
	for _, c := range []struct {
		d   DType
		one func(h uint16) float32
	}{{F16, half.OfF16}, {BF16, half.OfBF16}} {
		for shift := range 2 {
			for i := range 1 << 16 {
				binary.LittleEndian.PutUint16(raw[2*i+shift:], uint16(i))
			}
			for _, n := range []int{0, 1, 15, 16, 17, 31, 33, 1000, 1<<16 - 1, 1 << 16} {
				first := 1<<16 - n
				got := make([]float32, n+2)
				got[0], got[n+1] = guard, guard
				toFloat32[c.d](got[1:n+1], raw[2*first+shift:])
				if got[0] != guard || got[n+1] != guard {
					t.Fatalf("%s: %d numbers were written beside their place", c.d, n)
				}
				for i, v := range got[1 : n+1] {
					if h := uint16(first + i); math.Float32bits(v) != math.Float32bits(c.one(h)) {
						t.Fatalf("%s: %#04x in a file is %#x, alone %#x", c.d, h, math.Float32bits(v), math.Float32bits(c.one(h)))
					}
				}
			}
		}
	}
}
