//go:build !noasm && !race

package amxemu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// evexOf is an instruction on registers Zd, Zv and Zs, as the manual's volume 2, section 2.7, lays it out.
func evexOf(op, prefix byte, d, v, s int) []byte {
	inverted := func(n, bit, to int) byte { return byte(^n>>bit&1) << to }
	return []byte{
		evex,
		inverted(d, 3, 7) | inverted(s, 4, 6) | inverted(s, 3, 5) | inverted(d, 4, 4) | map0F38,
		byte(^v&15)<<3 | 4 | prefix,
		0x40 | inverted(v, 4, 3),
		op,
		0xc0 | byte(d&7)<<3 | byte(s&7),
	}
}

// registersOf gives m an area of registers, laid out as on Intel's processors whatever this one is, and their content by number.
func registersOf(t *testing.T, m *machine) func(n int) [16]uint32 {
	t.Helper()
	ymm, zmm, upper := ymmAt, zmmAt, upperAt
	t.Cleanup(func() { ymmAt, zmmAt, upperAt = ymm, zmm, upper })
	ymmAt, zmmAt, upperAt = 576, 1152, 1664
	m.uc.area = uintptr(unsafe.Pointer(&m.mem[0]))
	return func(n int) (r [16]uint32) {
		low, mid, high := m.mem[160+16*(n&15):], m.mem[int(ymmAt)+16*(n&15):], m.mem[int(zmmAt)+32*(n&15):]
		for i := range r {
			switch {
			case n >= 16:
				r[i] = binary.LittleEndian.Uint32(m.mem[int(upperAt)+64*(n-16)+4*i:])
			case i < 4:
				r[i] = binary.LittleEndian.Uint32(low[4*i:])
			case i < 8:
				r[i] = binary.LittleEndian.Uint32(mid[4*i-16:])
			default:
				r[i] = binary.LittleEndian.Uint32(high[4*i-32:])
			}
		}
		return r
	}
}

func TestPairs(t *testing.T) {
	m := newMachine()
	register := registersOf(t, m)
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		for i := 160; i < len(m.mem); i += 4 {
			binary.LittleEndian.PutUint16(m.mem[i:], uint16(bf16(float32(rng.NormFloat64()))))
			binary.LittleEndian.PutUint16(m.mem[i+2:], uint16(bf16(float32(rng.NormFloat64()))))
		}
		d, v, s := rng.IntN(32), rng.IntN(32), rng.IntN(32)
		sum, x, y := register(d), register(v), register(s)
		if n := m.run(evexOf(0x52, 2, d, v, s)...); n != 6 {
			t.Fatalf("VDPBF16PS took %d bytes, want 6", n)
		}
		for i, got := range register(d) {
			f := func(b uint32) float64 { return float64(math.Float32frombits(b)) }
			want := f(sum[i]) + f(x[i]&0xffff0000)*f(y[i]&0xffff0000) + f(x[i]<<16)*f(y[i]<<16)
			if e := math.Abs(f(got) - want); e > 1e-5 { // a sum of at most some 20, rounded twice
				t.Fatalf("VDPBF16PS Z%d, Z%d, Z%d: word %d is %v, want %v", s, v, d, i, f(got), want)
			}
		}
		x, y = register(v), register(s)
		if n := m.run(evexOf(0x72, 3, d, v, s)...); n != 6 {
			t.Fatalf("VCVTNE2PS2BF16 took %d bytes, want 6", n)
		}
		for i, got := range register(d) {
			from := y
			if i >= 8 {
				from = x
			}
			for half := range 2 {
				b := from[2*(i&7)+half]
				want := (b + 0x7fff + b>>16&1) >> 16
				if got := got >> (16 * half) & 0xffff; got != want {
					t.Fatalf("VCVTNE2PS2BF16 Z%d, Z%d, Z%d: half %d of word %d is %x, want %x", s, v, d, half, i, got, want)
				}
			}
		}
		y = register(s)
		if n := m.run(evexOf(0x72, 2, d, 0, s)...); n != 6 {
			t.Fatalf("VCVTNEPS2BF16 took %d bytes, want 6", n)
		}
		for i, got := range register(d) {
			want := uint32(0)
			if i < 8 {
				lo, hi := y[2*i], y[2*i+1]
				want = (lo+0x7fff+lo>>16&1)>>16 | (hi+0x7fff+hi>>16&1)>>16<<16
			}
			if got != want {
				t.Fatalf("VCVTNEPS2BF16 Z%d, Y%d: word %d is %x, want %x", s, d, i, got, want)
			}
		}
	}
	if got := binary.LittleEndian.Uint64(m.mem[presentAt:]); got&components != components {
		t.Errorf("the area does not say that its registers are in use: %x", got)
	}
	for name, code := range map[string][]byte{
		"a mask":               {0x62, 0xf2, 0x7e, 0x49, 0x52, 0xc1},
		"half a register":      {0x62, 0xf2, 0x7e, 0x28, 0x52, 0xc1},
		"an operand in memory": {0x62, 0xf2, 0x7e, 0x48, 0x52, 0x00},
		"another prefix":       {0x62, 0xf2, 0x7d, 0x48, 0x52, 0xc1},
	} {
		if n := m.run(code...); n != 0 {
			t.Errorf("%s: took %d bytes, want none", name, n)
		}
	}
}

func TestRoundOne(t *testing.T) {
	for _, c := range []struct{ x, want uint32 }{
		{0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81}, // ties, and just above one
		{0x7f7fffff, 0x7f80}, {0xff800000, 0xff80}, {0x7f800001, 0x7fc0}, {0xffc12345, 0xffc1}, // overflow, infinity, NaNs
		{0x007fffff, 0}, {0x80000001, 0x8000}, {0x00800000, 0x0080}, // subnormals, and the least that is none
	} {
		if got := roundOne(c.x); got != c.want {
			t.Errorf("%x becomes %x, want %x", c.x, got, c.want)
		}
	}
}

func TestMultiplyAddSubnormals(t *testing.T) {
	const one, least, tiny = 0x3f800000, 0x00800000, 0x00400000
	for _, c := range []struct{ x, y, sum, want uint32 }{
		{one, one, one, 0x40000000},
		{one, tiny, least, least}, // a subnormal operand is zero
		{one, 0, tiny, 0},         // so is a subnormal sum
		{least, 0x3f000000, 0, 0}, // and a subnormal result
		{0x7f800000, one, 0xff800000, 0xffc00000},
	} {
		got := multiplyAdd(c.x, c.y, c.sum)
		if nan := math.IsNaN(float64(number(c.want))); got != c.want && !(nan && math.IsNaN(float64(number(got)))) {
			t.Errorf("%x·%x + %x is %x, want %x", c.x, c.y, c.sum, got, c.want)
		}
	}
}
