package half

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// format describes a 16-bit format so that the tests can round by definition, in float64.
type format struct {
	name           string
	fraction, bias int // fraction bits, exponent bias
}

var formats = []format{{"bf16", 7, 127}, {"f16", 10, 15}}

// value is the number a finite bit pattern stands for.
func (f format) value(h uint16) float64 {
	frac, exp := int(h)&(1<<f.fraction-1), int(h&0x7fff)>>f.fraction
	v := math.Ldexp(float64(frac), 1-f.bias-f.fraction)
	if exp > 0 {
		v = math.Ldexp(float64(frac+1<<f.fraction), exp-f.bias-f.fraction)
	}
	if h&0x8000 != 0 {
		return math.Copysign(v, -1)
	}
	return v
}

func (f format) infinity() uint16 { return 0x7fff &^ (1<<f.fraction - 1) }

// round is the pattern nearest to x, ties to even.
func (f format) round(x float32) uint16 {
	u := math.Float32bits(x)
	sign, a := uint16(u>>16&0x8000), math.Abs(float64(x))
	switch {
	case math.IsNaN(a):
		return sign | f.infinity() | 1<<(f.fraction-1) | uint16(u>>(23-f.fraction)&(1<<f.fraction-1))
	case math.IsInf(a, 0):
		return sign | f.infinity()
	}
	// patterns of positive numbers rise with their value
	lo, hi := uint16(0), f.infinity()
	for lo+1 < hi {
		if mid := (lo + hi) / 2; f.value(mid) <= a {
			lo = mid
		} else {
			hi = mid
		}
	}
	below, above := a-f.value(lo), f.value(lo)+f.step(lo)-a
	if above < below || above == below && lo&1 == 1 {
		lo++
	}
	return sign | lo
}

// step is the distance from the finite pattern h to the next one (infinity counted as a number).
func (f format) step(h uint16) float64 {
	return math.Ldexp(1, max(int(h)>>f.fraction, 1)-f.bias-f.fraction)
}

func (f format) narrow(dst []uint16, src []float32) {
	if f.name == "bf16" {
		NarrowBF16(dst, src)
	} else {
		NarrowF16(dst, src)
	}
}

// one are the functions on one number.
func (f format) one() (narrow func(float32) uint16, widen func(uint16) float32) {
	if f.name == "bf16" {
		return ToBF16, OfBF16
	}
	return ToF16, OfF16
}

func (f format) widen(dst []float32, src []uint16) {
	if f.name == "bf16" {
		WidenBF16(dst, src)
	} else {
		WidenF16(dst, src)
	}
}

// eachForm runs test once with every form that this processor has.
func eachForm(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer Limit(best())
	for v := None; v <= best(); v++ {
		t.Run([]string{"generic", "avx2", "avx512"}[v], func(t *testing.T) {
			Limit(v)
			test(t)
		})
	}
}

func TestLimit(t *testing.T) {
	defer Limit(best())
	for v := None; v <= Sixteen; v++ {
		if Limit(v); vectors != min(v, best()) {
			t.Errorf("%d of %d at most: %d", v, best(), vectors)
		}
	}
}

// Every 16-bit pattern widens to the number it stands for.
func TestWidenExhaustive(t *testing.T) {
	eachForm(t, func(t *testing.T) {
		for _, f := range formats {
			src, got := make([]uint16, 1<<16), make([]float32, 1<<16)
			for i := range src {
				src[i] = uint16(i)
			}
			f.widen(got, src)
			_, widen := f.one()
			for h, g := range got {
				u := uint16(h)
				if one := widen(u); math.Float32bits(one) != math.Float32bits(g) {
					t.Fatalf("%s %#x = %v, alone %v", f.name, u, g, one)
				}
				switch {
				case u&0x7fff < f.infinity():
					if float64(g) != f.value(u) || math.Signbit(float64(g)) != (u&0x8000 != 0) {
						t.Fatalf("%s %#x = %v, want %v", f.name, u, g, f.value(u))
					}
				case u&0x7fff == f.infinity():
					if !math.IsInf(float64(g), 1-2*int(u>>15)) {
						t.Fatalf("%s %#x = %v, want infinity", f.name, u, g)
					}
				default:
					want := uint32(u>>15)<<31 | 0x7f800000 | uint32(u&(1<<f.fraction-1))<<(23-f.fraction)
					if f.name != "bf16" {
						want |= 0x400000 // made quiet
					}
					if b := math.Float32bits(g); b != want {
						t.Fatalf("%s NaN %#x = %#x, want %#x", f.name, u, b, want)
					}
				}
			}
		}
	})
}

// Every number of the format, every midpoint between two and their float32 neighbours round right,
// and so do random bit patterns.
func TestNarrow(t *testing.T) {
	var src []float32
	for _, f := range formats {
		for h := range f.infinity() {
			for _, x := range []float64{f.value(h), f.value(h) + f.step(h)/2} {
				u := math.Float32bits(float32(x))
				for d := range uint32(3) {
					x := math.Float32frombits(max(u+d, 1) - 1)
					src = append(src, x, -x)
				}
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1 << 16 {
		src = append(src, math.Float32frombits(rng.Uint32()), math.Float32frombits(rng.Uint32()|0x7f800000))
	}
	src = append(src, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0x7f800001), math.Float32frombits(0xffffffff))
	for _, f := range formats {
		want := make([]uint16, len(src))
		for i, x := range src {
			want[i] = f.round(x)
		}
		eachForm(t, func(t *testing.T) {
			got := make([]uint16, len(src))
			f.narrow(got, src)
			narrow, _ := f.one()
			for i := range got {
				if got[i] != want[i] || narrow(src[i]) != want[i] {
					t.Fatalf("%s of %v (%#x) = %#x, want %#x", f.name, src[i], math.Float32bits(src[i]), got[i], want[i])
				}
			}
		})
	}
}

// All lengths around the vector widths, at odd offsets, leave what lies beside dst alone.
func TestLengthsAndGuards(t *testing.T) {
	const guard = 0x5aa5
	lengths := []int{0, 1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1009, 4099}
	eachForm(t, func(t *testing.T) {
		for _, f := range formats {
			for _, n := range lengths {
				src := make([]float32, n+3)
				for i := range src {
					src[i] = float32(i%1000) * 0.37
				}
				half := slices.Repeat([]uint16{guard}, n+6)
				f.narrow(half[3:3+n], src[3:])
				wide := slices.Repeat([]float32{guard}, n+6)
				f.widen(wide[3:3+n], half[3:3+n])
				for i := range n {
					if want := f.round(src[3+i]); half[3+i] != want || float64(wide[3+i]) != f.value(want) {
						t.Fatalf("%s n=%d: element %d is %#x, %v", f.name, n, i, half[3+i], wide[3+i])
					}
				}
				for _, i := range []int{0, 1, 2, n + 3, n + 4, n + 5} {
					if half[i] != guard || wide[i] != guard {
						t.Fatalf("%s n=%d: wrote outside dst at %d", f.name, n, i-3)
					}
				}
			}
		}
	})
}

// Numbers worked out by hand.
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
		if h := ToF16(c.f); h != c.half {
			t.Errorf("ToF16(%v) = %#04x, want %#04x", c.f, h, c.half)
		}
		if b := ToBF16(c.f); b != c.bf {
			t.Errorf("ToBF16(%v) = %#04x, want %#04x", c.f, b, c.bf)
		}
	}
	nan := float32(math.NaN())
	if h, b := ToF16(nan), ToBF16(nan); h&0x7c00 != 0x7c00 || h&0x3ff == 0 || b&0x7f80 != 0x7f80 || b&0x7f == 0 {
		t.Errorf("NaN became %#04x and %#04x", h, b)
	}
}

func BenchmarkHalf(b *testing.B) {
	for _, n := range []int{1 << 12, 1 << 24} {
		x, h := make([]float32, n), make([]uint16, n)
		for _, f := range formats {
			b.Run(fmt.Sprintf("to-%s/%d", f.name, n), func(b *testing.B) {
				b.SetBytes(int64(n) * 6)
				for b.Loop() {
					f.narrow(h, x)
				}
			})
			b.Run(fmt.Sprintf("from-%s/%d", f.name, n), func(b *testing.B) {
				b.SetBytes(int64(n) * 6)
				for b.Loop() {
					f.widen(x, h)
				}
			})
		}
	}
}
