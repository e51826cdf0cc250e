//go:build amd64 && !noasm

#include "textflag.h"
#include "bf16_amd64.h"

// WIDEN is 16 numbers of bfloat16 as float32.
#define WIDEN(from, d) \
	VPMOVZXWD from, d \
	VPSLLD    $16, d, d

// func finishRounded(dst *uint16, dstStep int, v, bias *float32, from *uint16, fromStep, n int, floor float32)
TEXT ·finishRounded(SB), NOSPLIT, $0-60
	MOVQ dst+0(FP), DI
	MOVQ dstStep+8(FP), R8
	MOVQ v+16(FP), SI
	MOVQ bias+24(FP), BX
	MOVQ from+32(FP), R10
	MOVQ fromStep+40(FP), R11
	MOVQ n+48(FP), CX
	VBROADCASTSS floor+56(FP), Z7
	MOVL $-1, AX
	KMOVW AX, K1
	KMOVW AX, K2
group:
	CMPQ CX, $32
	JGE  whole
	MOVL $1, AX // the last columns
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	SHRL $16, AX
	KMOVW AX, K2
whole:
	VMOVUPS.Z (SI), K1, Z0
	VMOVUPS.Z 64(SI), K2, Z1
	TESTQ BX, BX
	JEQ   unbiased
	VADDPS.Z (BX), Z0, K1, Z0
	VADDPS.Z 64(BX), Z1, K2, Z1
	ADDQ $128, BX
unbiased:
	TESTQ R10, R10
	JEQ   alone
	WIDEN((R10), Z2)
	WIDEN(32(R10), Z3)
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	ADDQ R11, R10
alone:
	VMAXPS Z0, Z7, Z0
	VMAXPS Z1, Z7, Z1
	NARROW(2, 1, 0)
	VMOVDQU32 Z2, (DI)
	ADDQ R8, DI
	ADDQ $128, SI
	SUBQ $32, CX
	JGT  group
	VZEROUPPER
	RET

// func poolRounded(dst unsafe.Pointer, dstStep int, from *[4]unsafe.Pointer, fromStep, groups int)
TEXT ·poolRounded(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ dstStep+8(FP), DX
	MOVQ from+16(FP), SI
	MOVQ fromStep+24(FP), BX
	MOVQ groups+32(FP), CX
	MOVQ (SI), R8
	MOVQ 8(SI), R9
	MOVQ 16(SI), R10
	MOVQ 24(SI), R11
	MOVL $0x3e800000, AX // a quarter
	VPBROADCASTD AX, Z7
	XORQ AX, AX
group:
	PREFETCHT0 512(R8)(AX*1) // of the squares to come
	PREFETCHT0 512(R9)(AX*1)
	PREFETCHT0 512(R10)(AX*1)
	PREFETCHT0 512(R11)(AX*1)
	WIDEN((R8)(AX*1), Z0)
	WIDEN(32(R8)(AX*1), Z1)
	WIDEN((R9)(AX*1), Z2)
	WIDEN(32(R9)(AX*1), Z3)
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	WIDEN((R10)(AX*1), Z2)
	WIDEN(32(R10)(AX*1), Z3)
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	WIDEN((R11)(AX*1), Z2)
	WIDEN(32(R11)(AX*1), Z3)
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	VMULPS Z7, Z0, Z0
	VMULPS Z7, Z1, Z1
	NARROW(2, 1, 0)
	VMOVDQU32 Z2, (DI)
	ADDQ DX, DI
	ADDQ BX, AX
	DECQ CX
	JNZ  group
	VZEROUPPER
	RET

// Half a group of pixel i: rounded, or of numbers of which K1 says which are there.
#define ROUNDED(i, z) \
	MOVQ (8*i)(SI), BX \
	WIDEN((BX)(AX*1), z)
#define NUMBERS(i, z) \
	MOVQ (8*i)(SI), BX \
	VMOVUPS.Z (BX)(AX*1), K1, z

// A row of four places, of pixels combined in Z16 to Z19, rounded.
#define PLACES \
	VSUBPS Z18, Z16, Z20 \
	VADDPS Z18, Z17, Z21 \
	VSUBPS Z17, Z18, Z22 \
	VSUBPS Z19, Z17, Z23 \
	NARROW1(20, 20) \
	NARROW1(21, 21) \
	NARROW1(22, 22) \
	NARROW1(23, 23) \
	VMOVDQU64 Y20, (R8) \
	VMOVDQU64 Y21, (R8)(R9*1) \
	VMOVDQU64 Y22, (R8)(R9*2) \
	VMOVDQU64 Y23, (R8)(R10*1) \
	LEAQ (R8)(R9*4), R8

#define COMBINE(OP, a, b, c, d, e, f, g, h) \
	OP e, a, Z16 \
	OP f, b, Z17 \
	OP g, c, Z18 \
	OP h, d, Z19

// The places' lines of the next square's, whose stores would wait for them one by one.
#define FETCH \
	PREFETCHT0 64(R8) \
	PREFETCHT0 64(R8)(R9*1) \
	PREFETCHT0 64(R8)(R9*2) \
	PREFETCHT0 64(R8)(R10*1) \
	LEAQ (R8)(R9*4), R8

#define HALF(PIXEL) \
	PIXEL(0, Z0) \
	PIXEL(1, Z1) \
	PIXEL(2, Z2) \
	PIXEL(3, Z3) \
	PIXEL(4, Z4) \
	PIXEL(5, Z5) \
	PIXEL(6, Z6) \
	PIXEL(7, Z7) \
	PIXEL(8, Z8) \
	PIXEL(9, Z9) \
	PIXEL(10, Z10) \
	PIXEL(11, Z11) \
	PIXEL(12, Z12) \
	PIXEL(13, Z13) \
	PIXEL(14, Z14) \
	PIXEL(15, Z15) \
	MOVQ DI, R8 \
	COMBINE(VSUBPS, Z0, Z1, Z2, Z3, Z8, Z9, Z10, Z11) \
	PLACES \
	COMBINE(VADDPS, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11) \
	PLACES \
	COMBINE(VSUBPS, Z8, Z9, Z10, Z11, Z4, Z5, Z6, Z7) \
	PLACES \
	COMBINE(VSUBPS, Z4, Z5, Z6, Z7, Z12, Z13, Z14, Z15) \
	PLACES

// AHEAD has a pixel of the square after the next fetched, where the pixels of a panel lie 64 bytes apart.
#define AHEAD(i) \
	MOVQ (8*i)(SI), BX \
	PREFETCHT0 256(BX)(AX*1)

// AHEADBY is AHEAD where pixels lie end to end, R14 bytes being four of them.
#define AHEADBY(i) \
	MOVQ (8*i)(SI), BX \
	ADDQ AX, BX \
	PREFETCHT0 (BX)(R14*1)

// func winogradInRounded(dst *uint16, placeStep, dstStep int, from *[16]unsafe.Pointer, fromStep, halves int)
TEXT ·winogradInRounded(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ placeStep+8(FP), R9
	MOVQ dstStep+16(FP), R12
	MOVQ from+24(FP), SI
	MOVQ fromStep+32(FP), R13
	MOVQ halves+40(FP), CX
	LEAQ (R9)(R9*2), R10
	SUBQ $32, R12 // from the second half of a group to the next group
	SUBQ $32, R13
	XORQ AX, AX
group:
	MOVQ DI, R8
	FETCH
	FETCH
	FETCH
	FETCH
	AHEAD(2)
	AHEAD(3)
	AHEAD(6)
	AHEAD(7)
	AHEAD(10)
	AHEAD(11)
	AHEAD(14)
	AHEAD(15)
	HALF(ROUNDED)
	DECQ CX
	JEQ  done
	ADDQ $32, AX
	ADDQ $32, DI
	HALF(ROUNDED)
	ADDQ R13, AX
	ADDQ R12, DI
	DECQ CX
	JNZ  group
done:
	VZEROUPPER
	RET

// func winogradInNumbers(dst *uint16, placeStep, dstStep int, from *[16]unsafe.Pointer, n, halves int)
TEXT ·winogradInNumbers(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ placeStep+8(FP), R9
	MOVQ dstStep+16(FP), R12
	MOVQ from+24(FP), SI
	MOVQ n+32(FP), DX
	LEAQ (R9)(R9*2), R10
	XORQ AX, AX
	XORQ R11, R11
	MOVQ halves+40(FP), CX
	MOVQ DX, R14
	SHLQ $4, R14
half:
	MOVL $0xffff, BX
	CMPQ DX, $16
	JGE  whole
	MOVQ CX, R13
	XORQ BX, BX
	TESTQ DX, DX
	JLE  none
	MOVL $1, BX
	MOVQ DX, CX
	SHLL CX, BX
	DECL BX
none:
	MOVQ R13, CX
whole:
	KMOVW BX, K1
	TESTQ R11, R11
	JNE  fetched
	MOVQ DI, R8
	FETCH
	FETCH
	FETCH
	FETCH
fetched:
	AHEADBY(2)
	AHEADBY(3)
	AHEADBY(6)
	AHEADBY(7)
	AHEADBY(10)
	AHEADBY(11)
	AHEADBY(14)
	AHEADBY(15)
	HALF(NUMBERS)
	SUBQ $16, DX
	ADDQ $64, AX
	ADDQ $32, DI
	XORQ $1, R11
	JNE  next
	ADDQ R12, DI
	SUBQ $64, DI
next:
	DECQ CX
	JNZ  half
	VZEROUPPER
	RET

// func widenRow(dst *float32, from *uint16, fromStep, n int)
TEXT ·widenRow(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ fromStep+16(FP), R8
	MOVQ n+24(FP), CX
	MOVL $-1, AX
	KMOVW AX, K1
	KMOVW AX, K2
group:
	CMPQ CX, $32
	JGE  whole
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	SHRL $16, AX
	KMOVW AX, K2
whole:
	WIDEN((SI), Z0)
	WIDEN(32(SI), Z1)
	VMOVUPS Z0, K1, (DI)
	VMOVUPS Z1, K2, 64(DI)
	ADDQ R8, SI
	ADDQ $128, DI
	SUBQ $32, CX
	JGT  group
	VZEROUPPER
	RET

// A column of four places: the sums for the upper and the lower pixels.
#define COLUMN(first, second, third, fourth, upper, lower) \
	VMOVUPS second, Z8 \
	VMOVUPS third, Z9 \
	VADDPS  Z9, Z8, upper \
	VADDPS  first, upper, upper \
	VSUBPS  Z9, Z8, lower \
	VSUBPS  fourth, lower, lower

// The left and right pixel of sums a to d, rounded.
#define PIXELS(a, b, c, d, left, right) \
	VADDPS  c, b, Z8 \
	VADDPS  a, Z8, Z8 \
	VADDPS  Z10, Z8, Z8 \
	VMAXPS  Z8, Z11, Z8 \
	VSUBPS  c, b, Z9 \
	VSUBPS  d, Z9, Z9 \
	VADDPS  Z10, Z9, Z9 \
	VMAXPS  Z9, Z11, Z9 \
	NARROW1(8, 8) \
	NARROW1(9, 9) \
	MOVQ    left(DI), DX \
	VMOVDQU Y8, (DX)(R14*1) \
	MOVQ    right(DI), DX \
	VMOVDQU Y9, (DX)(R14*1)

// func winogradOutRoundedAVX512(to *[4]unsafe.Pointer, squares, first, toStep int, src *float32, step, next int, bias *float32, groups int, floor float32)
TEXT ·winogradOutRoundedAVX512(SB), NOSPLIT, $0-76
	MOVQ  to+0(FP), DI
	MOVQ  src+32(FP), SI
	MOVQ  step+40(FP), R9
	MOVQ  bias+56(FP), BX
	VBROADCASTSS floor+72(FP), Z11
	LEAQ  (R9)(R9*2), R10
square:
	MOVQ  groups+64(FP), CX
	XORQ  AX, AX
	MOVQ  first+16(FP), R14
	SHLQ  $1, CX
half:
	LEAQ (SI)(AX*1), R8
	LEAQ (R8)(R9*4), R11
	LEAQ (R11)(R9*4), R12
	LEAQ (R12)(R9*4), R13
	COLUMN((R8), (R11), (R12), (R13), Z0, Z4)
	COLUMN((R8)(R9*1), (R11)(R9*1), (R12)(R9*1), (R13)(R9*1), Z1, Z5)
	COLUMN((R8)(R9*2), (R11)(R9*2), (R12)(R9*2), (R13)(R9*2), Z2, Z6)
	COLUMN((R8)(R10*1), (R11)(R10*1), (R12)(R10*1), (R13)(R10*1), Z3, Z7)
	VMOVUPS (BX)(AX*1), Z10
	PIXELS(Z0, Z1, Z2, Z3, 0, 8)
	PIXELS(Z4, Z5, Z6, Z7, 16, 24)
	ADDQ $64, AX
	DECQ CX
	JEQ  done
	TESTQ $1, CX
	JEQ  group
	ADDQ $32, R14
	JMP  half
group:
	ADDQ toStep+24(FP), R14
	SUBQ $32, R14
	JMP  half
done:
	ADDQ $32, DI
	ADDQ next+48(FP), SI
	DECQ squares+8(FP)
	JNZ  square
	VZEROUPPER
	RET
