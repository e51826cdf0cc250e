//go:build amd64 && !noasm

#include "textflag.h"
#include "bf16_amd64.h"

// The Go assembler has no VDPBF16PS, so it is spelled as bytes (EVEX.512.F3.0F38.W0 52 /r).
// DP(d, b, a): Zd += the dot product of the bfloat16 pairs of Zb and Za; arguments are register numbers.
#define DP(d, b, a) \
	BYTE $0x62; \
	BYTE $(0xf2 ^ (((d>>3)&1)<<7) ^ (((a>>4)&1)<<6) ^ (((a>>3)&1)<<5) ^ (((d>>4)&1)<<4)); \
	BYTE $(0x7e ^ ((b&15)<<3)); \
	BYTE $(0x48 ^ (((b>>4)&1)<<3)); \
	BYTE $0x52; \
	BYTE $(0xc0 | ((d&7)<<3) | (a&7))

// PREFETCHW (R8) and 64(R8)
#define PREFETCHW_R8 BYTE $0x41; BYTE $0x0f; BYTE $0x0d; BYTE $0x08
#define PREFETCHW_64_R8 BYTE $0x41; BYTE $0x0f; BYTE $0x0d; BYTE $0x48; BYTE $0x40

// One row of C, registers lo and hi: the pair of A at off(AX) times a pair row of B in Z28, Z29.
#define ROWA(off, lo, hi) \
	VPBROADCASTD off(AX), Z30; \
	DP(lo, 28, 30); \
	DP(hi, 29, 30)
#define ROWB(off, lo, hi) \
	VPBROADCASTD off(AX), Z31; \
	DP(lo, 28, 31); \
	DP(hi, 29, 31)

#define ROWS1 ROWA(0, 0, 1)
#define ROWS2 ROWS1; ROWB(64, 2, 3)
#define ROWS4 ROWS2; ROWA(128, 4, 5); ROWB(192, 6, 7)
#define ROWS6 ROWS4; ROWA(256, 8, 9); ROWB(320, 10, 11)
#define ROWS8 ROWS6; ROWA(384, 12, 13); ROWB(448, 14, 15)
#define ROWS14 \
	ROWS8; ROWA(512, 16, 17); ROWB(576, 18, 19); ROWA(640, 20, 21); ROWB(704, 22, 23); \
	ROWA(768, 24, 25); ROWB(832, 26, 27)

// A row of C between memory at R8 and registers; DI is the stride in bytes.
#define ZERO(lo, hi) \
	VPXORD lo, lo, lo; \
	VPXORD hi, hi, hi
#define GET(lo, hi) \
	VMOVUPS (R8), lo; \
	VMOVUPS 64(R8), hi; \
	ADDQ DI, R8
#define WANT(lo, hi) \
	PREFETCHW_R8; \
	PREFETCHW_64_R8; \
	ADDQ DI, R8
#define PUT(lo, hi) \
	VMOVUPS lo, (DX); \
	VMOVUPS hi, 64(DX); \
	ADDQ DI, DX

#define ALL1(OP) OP(Z0, Z1)
#define ALL2(OP) ALL1(OP); OP(Z2, Z3)
#define ALL4(OP) ALL2(OP); OP(Z4, Z5); OP(Z6, Z7)
#define ALL6(OP) ALL4(OP); OP(Z8, Z9); OP(Z10, Z11)
#define ALL8(OP) ALL6(OP); OP(Z12, Z13); OP(Z14, Z15)
#define ALL14(OP) \
	ALL8(OP); OP(Z16, Z17); OP(Z18, Z19); OP(Z20, Z21); OP(Z22, Z23); OP(Z24, Z25); OP(Z26, Z27)

// The whole function for some number of rows: steps of 16 pairs, or fewer at the end. A step of A is 14 rows of 64
// bytes, a pair row of B 128 bytes. C's lines are fetched while the sums are formed, and what lies
// at R9, part of the next panel, into the second-level cache.
#define DOT(ROWS, ALL) \
	MOVQ pairs+0(FP), CX; \
	MOVQ a+8(FP), AX; \
	MOVQ b+16(FP), BX; \
	MOVQ c+24(FP), DX; \
	MOVQ ldc+32(FP), DI; \
	SHLQ $2, DI; \
	MOVQ next+48(FP), R9; \
	MOVBLZX add+40(FP), SI; \
	TESTL SI, SI; \
	JEQ  zero; \
	MOVQ DX, R8; \
	ALL(GET); \
	JMP  step; \
zero: \
	ALL(ZERO); \
	MOVQ DX, R8; \
	ALL(WANT); \
step: \
	MOVL $16, SI; \
	CMPQ CX, SI; \
	CMOVQLT CX, SI; \
	PREFETCHT1 (R9); \
	PREFETCHT1 64(R9); \
	ADDQ $128, R9; \
pair: \
	VMOVUPS (BX), Z28; \
	VMOVUPS 64(BX), Z29; \
	PREFETCHT0 1024(BX); \
	PREFETCHT0 1088(BX); \
	ROWS; \
	ADDQ $4, AX; \
	ADDQ $128, BX; \
	DECL SI; \
	JNZ  pair; \
	ADDQ $832, AX; \
	SUBQ $16, CX; \
	JGT  step; \
	ALL(PUT); \
	VZEROUPPER; \
	RET

// func dot14x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)
TEXT ·dot14x32(SB), NOSPLIT, $0-56
	DOT(ROWS14, ALL14)

// func dot8x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)
TEXT ·dot8x32(SB), NOSPLIT, $0-56
	DOT(ROWS8, ALL8)

// func dot6x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)
TEXT ·dot6x32(SB), NOSPLIT, $0-56
	DOT(ROWS6, ALL6)

// func dot4x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)
TEXT ·dot4x32(SB), NOSPLIT, $0-56
	DOT(ROWS4, ALL4)

// func dot2x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)
TEXT ·dot2x32(SB), NOSPLIT, $0-56
	DOT(ROWS2, ALL2)

// func dot1x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)
TEXT ·dot1x32(SB), NOSPLIT, $0-56
	DOT(ROWS1, ALL1)

// SUMS is the whole depth of 14 rows; what lies at R10, the left operand two steps on, is fetched too.
#define SUMS \
step: \
	MOVL $16, SI; \
	CMPQ CX, SI; \
	CMOVQLT CX, SI; \
	PREFETCHT1 (R9); \
	PREFETCHT1 64(R9); \
	ADDQ $128, R9; \
pair: \
	VMOVUPS (BX), Z28; \
	VMOVUPS 64(BX), Z29; \
	PREFETCHT0 1024(BX); \
	PREFETCHT0 1088(BX); \
	PREFETCHT0 (R10); \
	ROWS14; \
	ADDQ $4, AX; \
	ADDQ $64, R10; \
	ADDQ $128, BX; \
	DECL SI; \
	JNZ  pair; \
	ADDQ $832, AX; \
	SUBQ $128, R10; \
	SUBQ $16, CX; \
	JGT  step

// Row r of the result, off bytes behind DX: of the sums lo and hi what is above Z28, rounded.
#define FINISH(off, lo, hi, vlo, vhi) \
	VMAXPS vlo, Z28, vlo; \
	VMAXPS vhi, Z28, vhi; \
	NARROW(31, hi, lo); \
	VMOVDQU32 Z31, off(DX)

// JOIN adds a row of what lies rounded at R8.
#define JOIN(off, lo, hi) \
	VPMOVZXWD off(R8), Z29; \
	VPMOVZXWD (off+32)(R8), Z30; \
	VPSLLD $16, Z29, Z29; \
	VPSLLD $16, Z30, Z30; \
	VADDPS Z29, lo, lo; \
	VADDPS Z30, hi, hi

#define BIASED(lo, hi) \
	VADDPS Z28, lo, lo; \
	VADDPS Z29, hi, hi

// func dotFinished14x32(pairs int, a, b, dst *uint16, bias *float32, from *uint16, floor float32, next uintptr)
TEXT ·dotFinished14x32(SB), NOSPLIT, $0-64
	MOVQ pairs+0(FP), CX
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ dst+24(FP), DX
	MOVQ bias+32(FP), DI
	MOVQ from+40(FP), R8
	MOVQ next+56(FP), R9
	MOVQ $1792, R10 // two steps ahead of the left operand
	ADDQ AX, R10
	PREFETCHT0 (DX)
	PREFETCHT0 64(DX)
	PREFETCHT0 128(DX)
	PREFETCHT0 192(DX)
	PREFETCHT0 256(DX)
	PREFETCHT0 320(DX)
	PREFETCHT0 384(DX)
	PREFETCHT0 448(DX)
	PREFETCHT0 512(DX)
	PREFETCHT0 576(DX)
	PREFETCHT0 640(DX)
	PREFETCHT0 704(DX)
	PREFETCHT0 768(DX)
	PREFETCHT0 832(DX)
	TESTQ R8, R8
	JEQ  zero
	PREFETCHT0 (R8)
	PREFETCHT0 64(R8)
	PREFETCHT0 128(R8)
	PREFETCHT0 192(R8)
	PREFETCHT0 256(R8)
	PREFETCHT0 320(R8)
	PREFETCHT0 384(R8)
	PREFETCHT0 448(R8)
	PREFETCHT0 512(R8)
	PREFETCHT0 576(R8)
	PREFETCHT0 640(R8)
	PREFETCHT0 704(R8)
	PREFETCHT0 768(R8)
	PREFETCHT0 832(R8)
zero:
	ALL14(ZERO)
	SUMS
	VMOVUPS (DI), Z28
	VMOVUPS 64(DI), Z29
	ALL14(BIASED)
	VBROADCASTSS floor+48(FP), Z28
	TESTQ R8, R8
	JEQ  alone
	JOIN(0, Z0, Z1)
	JOIN(64, Z2, Z3)
	JOIN(128, Z4, Z5)
	JOIN(192, Z6, Z7)
	JOIN(256, Z8, Z9)
	JOIN(320, Z10, Z11)
	JOIN(384, Z12, Z13)
	JOIN(448, Z14, Z15)
	JOIN(512, Z16, Z17)
	JOIN(576, Z18, Z19)
	JOIN(640, Z20, Z21)
	JOIN(704, Z22, Z23)
	JOIN(768, Z24, Z25)
	JOIN(832, Z26, Z27)
alone:
	FINISH(0, 0, 1, Z0, Z1)
	FINISH(64, 2, 3, Z2, Z3)
	FINISH(128, 4, 5, Z4, Z5)
	FINISH(192, 6, 7, Z6, Z7)
	FINISH(256, 8, 9, Z8, Z9)
	FINISH(320, 10, 11, Z10, Z11)
	FINISH(384, 12, 13, Z12, Z13)
	FINISH(448, 14, 15, Z14, Z15)
	FINISH(512, 16, 17, Z16, Z17)
	FINISH(576, 18, 19, Z18, Z19)
	FINISH(640, 20, 21, Z20, Z21)
	FINISH(704, 22, 23, Z22, Z23)
	FINISH(768, 24, 25, Z24, Z25)
	FINISH(832, 26, 27, Z26, Z27)
	VZEROUPPER
	RET

// A row of numbers at R8 is added, and a row of c stored, of which what is above Z28; R11 is the stride of the former.
#define JOINED(lo, hi) \
	VADDPS (R8), lo, lo; \
	VADDPS 64(R8), hi, hi; \
	ADDQ R11, R8
#define RAISED(lo, hi) \
	VMAXPS lo, Z28, lo; \
	VMAXPS hi, Z28, hi
#define FETCHED(lo, hi) \
	PREFETCHT0 (R8); \
	PREFETCHT0 64(R8); \
	ADDQ R11, R8

// func dotJoined14x32(pairs int, a, b *uint16, c *float32, ldc int, bias, from *float32, ldfrom int, floor float32, next uintptr)
TEXT ·dotJoined14x32(SB), NOSPLIT, $0-80
	MOVQ pairs+0(FP), CX
	MOVQ a+8(FP), AX
	MOVQ b+16(FP), BX
	MOVQ c+24(FP), DX
	MOVQ ldc+32(FP), DI
	SHLQ $2, DI
	MOVQ ldfrom+56(FP), R11
	SHLQ $2, R11
	MOVQ next+72(FP), R9
	MOVQ $1792, R10 // two steps ahead of the left operand
	ADDQ AX, R10
	MOVQ from+48(FP), R8
	TESTQ R8, R8
	JEQ  zero
	ALL14(FETCHED)
zero:
	ALL14(ZERO)
	MOVQ DX, R8
	ALL14(WANT)
	SUMS
	MOVQ bias+40(FP), R8
	VMOVUPS (R8), Z28
	VMOVUPS 64(R8), Z29
	ALL14(BIASED)
	MOVQ from+48(FP), R8
	TESTQ R8, R8
	JEQ  alone
	ALL14(JOINED)
alone:
	VBROADCASTSS floor+64(FP), Z28
	ALL14(RAISED)
	ALL14(PUT)
	VZEROUPPER
	RET
