//go:build !noasm && !race

package amxemu

import "unsafe"

// Where the kernel keeps registers when it delivers a signal: the area that XSAVE fills, Software Developer's Manual, volume 1,
// 13.4. What follows the first 576 bytes lies where CPUID says.
const (
	xmmAt      = 160
	presentAt  = 512
	components = 1<<1 | 1<<2 | 1<<6 | 1<<7 // SSE, AVX, and AVX-512's upper halves and upper registers
)

var ymmAt, zmmAt, upperAt uintptr

// xsaveOffset asks CPUID where a component lies.
func xsaveOffset(component uint32) uint32

// findRegisters is called before the first signal.
func findRegisters() {
	ymmAt, zmmAt, upperAt = uintptr(xsaveOffset(2)), uintptr(xsaveOffset(6)), uintptr(xsaveOffset(7))
}

// word is 32-bit word i of register Zn.
//
//go:nosplit
func word(area uintptr, n, i int) *uint32 {
	switch {
	case n >= 16:
		area += upperAt + uintptr(64*(n-16)+4*i)
	case i < 4:
		area += xmmAt + uintptr(16*n+4*i)
	case i < 8:
		area += ymmAt + uintptr(16*n+4*(i-4))
	default:
		area += zmmAt + uintptr(32*n+4*(i-8))
	}
	return (*uint32)(at(area))
}

// The instructions of AVX512-BF16, as opcode and EVEX's prefix field.
const (
	evex   = 0x62
	dot    = 0x5202 // VDPBF16PS
	narrow = 0x7202 // VCVTNEPS2BF16
	both   = 0x7203 // VCVTNE2PS2BF16
)

// stepPairs is step for these, on whole registers without masks.
//
//go:nosplit
func stepPairs(uc *context, code *[10]byte) uintptr {
	p0, p1, p2, modrm := code[1], code[2], code[3], code[5]
	if p0&0x0f != map0F38 || p1&0x84 != 4 || p2&0xf7 != 0x40 || modrm>>6 != registers || uc.area == 0 {
		return 0
	}
	// Prefix bits are inverted.
	d := int(modrm>>3&7 | ^p0>>7&1<<3 | ^p0>>4&1<<4)
	s := int(modrm&7 | ^p0>>5&1<<3 | ^p0>>6&1<<4)
	v := int(^p1>>3&15 | ^p2>>3&1<<4)
	var out [16]uint32
	switch int(code[4])<<8 | int(p1&3) {
	case dot:
		for i := range out {
			x, y := *word(uc.area, v, i), *word(uc.area, s, i)
			sum := *word(uc.area, d, i)
			sum = multiplyAdd(x&0xffff0000, y&0xffff0000, sum)
			out[i] = multiplyAdd(x<<16, y<<16, sum)
		}
	case narrow:
		if v != 0 {
			return 0
		}
		for i := range 8 {
			out[i] = roundPair(*word(uc.area, s, 2*i), *word(uc.area, s, 2*i+1))
		}
	case both:
		for i := range 8 {
			out[i] = roundPair(*word(uc.area, s, 2*i), *word(uc.area, s, 2*i+1))
			out[8+i] = roundPair(*word(uc.area, v, 2*i), *word(uc.area, v, 2*i+1))
		}
	default:
		return 0
	}
	for i, x := range out {
		*word(uc.area, d, i) = x
	}
	*(*uint64)(at(uc.area + presentAt)) |= components
	return 6
}

const (
	sign     = 1 << 31
	infinity = 0xff << 23
)

// flush takes a subnormal as zero.
//
//go:nosplit
func flush(x uint32) uint32 {
	if x&infinity == 0 {
		return x & sign
	}
	return x
}

// roundPair is two numbers rounded to bfloat16, the first in the low half: to nearest, ties to even.
//
//go:nosplit
func roundPair(lo, hi uint32) uint32 { return roundOne(lo) | roundOne(hi)<<16 }

//go:nosplit
func roundOne(x uint32) uint32 {
	x = flush(x)
	if x&^sign > infinity { // a NaN
		return x>>16 | 0x40
	}
	return (x + 0x7fff + x>>16&1) >> 16
}

// multiplyAdd is x·y + sum, x and y bfloat16 widened. The product is exact in float64; where the sum is not, rounding it twice may
// differ from rounding once in the last bit.
//
//go:nosplit
func multiplyAdd(x, y, sum uint32) uint32 {
	p := float64(number(flush(x))) * float64(number(flush(y)))
	r := float32(p + float64(number(flush(sum))))
	return flush(*(*uint32)(unsafe.Pointer(&r)))
}

//go:nosplit
func number(x uint32) float32 { return *(*float32)(unsafe.Pointer(&x)) }
