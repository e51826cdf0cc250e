package weights

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestHalfBothWays: every binary16 survives the way to float32 and back.
func TestHalfBothWays(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		f := Half32(h)
		if nan := h&0x7c00 == 0x7c00 && h&0x3ff != 0; nan {
			if !math.IsNaN(float64(f)) || !math.IsNaN(float64(Half32(HalfOf(f)))) {
				t.Errorf("%#04x is not a number and became %v", h, f)
			}
			continue
		}
		exp, frac := int(h>>10&31), float64(h&0x3ff)
		want := math.Ldexp(1024+frac, exp-25)
		switch exp {
		case 0:
			want = math.Ldexp(frac, -24)
		case 31:
			want = math.Inf(1)
		}
		if h&0x8000 != 0 {
			want = -want
		}
		if float64(f) != want || math.Signbit(float64(f)) != (h&0x8000 != 0) {
			t.Errorf("%#04x is %v, want %v", h, f, want)
		}
		if back := HalfOf(f); back != h {
			t.Errorf("%v came back as %#04x, was %#04x", f, back, h)
		}
	}
}

// TestHalvesOfAFile: all 65536 patterns, NaN's bits included, at both kinds of address and at odd lengths, are what each is alone.
func TestHalvesOfAFile(t *testing.T) {
	const guard = 12345.5
	raw := make([]byte, 2<<16+1)
	for _, c := range []struct {
		d   DType
		one func(h uint16) float32
	}{{F16, Half32}, {BF16, func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }}} {
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

func TestRounding(t *testing.T) {
	for _, c := range []struct {
		f    float32
		half uint16
		bf   uint16
	}{
		{65504, 0x7bff, 0x4780}, {65519.99, 0x7bff, 0x4780}, {65520, 0x7c00, 0x4780}, {1e30, 0x7c00, 0x714a},
		{1 + 1.0/2048, 0x3c00, 0x3f80}, {1 + 3.0/2048, 0x3c02, 0x3f80}, {1 + 1.0/256, 0x3c04, 0x3f80}, {1 + 3.0/256, 0x3c0c, 0x3f82},
		{5.9604645e-08, 0x0001, 0x3380}, {2.9802322e-08, 0x0000, 0x3300}, {8.940697e-08, 0x0002, 0x33c0}, {6.1035156e-05, 0x0400, 0x3880}, {0, 0, 0}, {float32(math.Copysign(0, -1)), 0x8000, 0x8000},
		{float32(math.Inf(-1)), 0xfc00, 0xff80},
	} {
		if h := HalfOf(c.f); h != c.half {
			t.Errorf("HalfOf(%v) = %#04x, want %#04x", c.f, h, c.half)
		}
		if b := BFloat16Of(c.f); b != c.bf {
			t.Errorf("BFloat16Of(%v) = %#04x, want %#04x", c.f, b, c.bf)
		}
	}
	nan := float32(math.NaN())
	if h, b := HalfOf(nan), BFloat16Of(nan); h&0x7c00 != 0x7c00 || h&0x3ff == 0 || b&0x7f80 != 0x7f80 || b&0x7f == 0 {
		t.Errorf("NaN became %#04x and %#04x", h, b)
	}
}
