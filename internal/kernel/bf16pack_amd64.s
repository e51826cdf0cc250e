//go:build amd64 && !noasm

#include "textflag.h"
#include "bf16_amd64.h"

// func splitRow(dst *uint16, dstStep int, src *float32, groups, planes, planeStep int)
TEXT ·splitRow(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ dstStep+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ groups+24(FP), CX
	MOVQ planeStep+40(FP), R9
group:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	PREFETCHT0 1024(SI)
	PREFETCHT0 1088(SI)
	MOVQ DI, BX
	MOVQ planes+32(FP), DX
	JMP  first
plane:
	VPMOVZXWD Y2, Z3
	VEXTRACTI64X4 $1, Z2, Y4
	VPMOVZXWD Y4, Z4
	VPSLLD $16, Z3, Z3
	VPSLLD $16, Z4, Z4
	VSUBPS Z3, Z0, Z0
	VSUBPS Z4, Z1, Z1
first:
	NARROW(2, 1, 0)
	VMOVDQU32 Z2, (BX)
	ADDQ R9, BX
	DECQ DX
	JNZ  plane
	ADDQ $128, SI
	ADDQ R8, DI
	DECQ CX
	JNZ  group
	VZEROUPPER
	RET

// the words of a register and of the next in turn
DATA inTurn<>+0(SB)/8, $0x0011000100100000
DATA inTurn<>+8(SB)/8, $0x0013000300120002
DATA inTurn<>+16(SB)/8, $0x0015000500140004
DATA inTurn<>+24(SB)/8, $0x0017000700160006
DATA inTurn<>+32(SB)/8, $0x0019000900180008
DATA inTurn<>+40(SB)/8, $0x001b000b001a000a
DATA inTurn<>+48(SB)/8, $0x001d000d001c000c
DATA inTurn<>+56(SB)/8, $0x001f000f001e000e
GLOBL inTurn<>(SB), RODATA|NOPTR, $64

// One register of two rows, Z0 and Z1, to BX and planes on.
#define PAIRED(plane, first) \
	MOVQ DI, BX \
	MOVQ planes+48(FP), DX \
	JMP  first \
plane: \
	VPSLLD $16, Z2, Z3 \
	VPANDD Z31, Z2, Z4 \
	VSUBPS Z3, Z0, Z0 \
	VSUBPS Z4, Z1, Z1 \
first: \
	NARROW(2, 1, 0) \
	VPERMW Z2, Z30, Z2 \
	VMOVDQU32 Z2, (BX) \
	ADDQ R9, BX \
	DECQ DX \
	JNZ  plane \
	ADDQ $64, SI \
	ADDQ $64, DI

// func pairRows(dst *uint16, dstStep int, src *float32, srcStep, pairs, columns, planes, planeStep int)
TEXT ·pairRows(SB), NOSPLIT, $0-64
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z31
	VMOVDQU32 inTurn<>(SB), Z30
	MOVQ srcStep+24(FP), R8
	MOVQ planeStep+56(FP), R9
	MOVQ columns+40(FP), R10
	MOVQ R10, CX
	ANDQ $15, CX
	SHRQ $4, R10
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	MOVQ dst+0(FP), R11
	MOVQ src+16(FP), R12
	MOVQ pairs+32(FP), R13
row:
	MOVQ R11, DI
	MOVQ R12, SI
	MOVQ R10, CX
	TESTQ CX, CX
	JEQ  rest
whole:
	VMOVUPS (SI), Z0
	VMOVUPS (SI)(R8*1), Z1
	PAIRED(plane, first)
	DECQ CX
	JNZ  whole
rest:
	TESTL AX, AX
	JEQ  next
	VMOVUPS.Z (SI), K1, Z0
	VMOVUPS.Z (SI)(R8*1), K1, Z1
	PAIRED(restPlane, restFirst)
next:
	ADDQ dstStep+8(FP), R11
	LEAQ (R12)(R8*2), R12
	DECQ R13
	JNZ  row
	VZEROUPPER
	RET

// Transposing 16 rows of 16 words: two rounds within 128-bit lanes, two across them. In the first
// round rows i and i+1 (Z0..Z15) become words of both in Zi+16 and Zi+17.
#define INTERLEAVE(a, b, lo, hi) \
	VPUNPCKLDQ b, a, lo \
	VPUNPCKHDQ b, a, hi
#define INTERLEAVE2(a, b, lo, hi) \
	VPUNPCKLQDQ b, a, lo \
	VPUNPCKHQDQ b, a, hi
#define LANES(a, b, even, odd) \
	VSHUFI32X4 $0x88, b, a, even \
	VSHUFI32X4 $0xdd, b, a, odd

// Words of rows 0-3, 4-7, 8-11 and 12-15, one to a lane, become four rows of the result: of lane 0, 1, 2, 3.
#define COLUMN(q0, q1, q2, q3, s0, s1, s2, s3) \
	LANES(q0, q1, s0, s1) \
	LANES(q2, q3, s2, s3) \
	LANES(s0, s2, q0, q2) \
	LANES(s1, s3, q1, q3)

// func transposeWords(dst *uint16, dstRow, dstStep int, src *uint16, srcStep, groups, rows int)
TEXT ·transposeWords(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ dstRow+8(FP), R9
	MOVQ dstStep+16(FP), R10
	MOVQ src+24(FP), SI
	MOVQ srcStep+32(FP), R8
	MOVQ groups+40(FP), CX
	MOVQ rows+48(FP), R13
	LEAQ (R8)(R8*2), R11
	LEAQ (R9)(R9*2), R12
group:
	MOVQ SI, BX
	VMOVDQU32 (BX), Z0
	VMOVDQU32 (BX)(R8*1), Z1
	VMOVDQU32 (BX)(R8*2), Z2
	VMOVDQU32 (BX)(R11*1), Z3
	LEAQ (BX)(R8*4), BX
	VMOVDQU32 (BX), Z4
	VMOVDQU32 (BX)(R8*1), Z5
	VMOVDQU32 (BX)(R8*2), Z6
	VMOVDQU32 (BX)(R11*1), Z7
	LEAQ (BX)(R8*4), BX
	VMOVDQU32 (BX), Z8
	VMOVDQU32 (BX)(R8*1), Z9
	VMOVDQU32 (BX)(R8*2), Z10
	VMOVDQU32 (BX)(R11*1), Z11
	LEAQ (BX)(R8*4), BX
	VMOVDQU32 (BX), Z12
	VMOVDQU32 (BX)(R8*1), Z13
	VMOVDQU32 (BX)(R8*2), Z14
	VMOVDQU32 (BX)(R11*1), Z15
	LEAQ (BX)(R8*4), BX
	ADDQ $64, SI
	INTERLEAVE(Z0, Z1, Z16, Z17)
	INTERLEAVE(Z2, Z3, Z18, Z19)
	INTERLEAVE(Z4, Z5, Z20, Z21)
	INTERLEAVE(Z6, Z7, Z22, Z23)
	INTERLEAVE(Z8, Z9, Z24, Z25)
	INTERLEAVE(Z10, Z11, Z26, Z27)
	INTERLEAVE(Z12, Z13, Z28, Z29)
	INTERLEAVE(Z14, Z15, Z30, Z31)
	// Z0, Z4, Z8, Z12: word 0 of each lane (words 0, 4, 8, 12) of rows 0-3, 4-7, 8-11, 12-15; then words 1, 2, 3
	INTERLEAVE2(Z16, Z18, Z0, Z1)
	INTERLEAVE2(Z17, Z19, Z2, Z3)
	INTERLEAVE2(Z20, Z22, Z4, Z5)
	INTERLEAVE2(Z21, Z23, Z6, Z7)
	INTERLEAVE2(Z24, Z26, Z8, Z9)
	INTERLEAVE2(Z25, Z27, Z10, Z11)
	INTERLEAVE2(Z28, Z30, Z12, Z13)
	INTERLEAVE2(Z29, Z31, Z14, Z15)
	COLUMN(Z0, Z4, Z8, Z12, Z16, Z17, Z18, Z19)
	COLUMN(Z1, Z5, Z9, Z13, Z20, Z21, Z22, Z23)
	COLUMN(Z2, Z6, Z10, Z14, Z24, Z25, Z26, Z27)
	COLUMN(Z3, Z7, Z11, Z15, Z28, Z29, Z30, Z31)
	MOVQ DI, BX
	VMOVDQU32 Z0, (BX)
	VMOVDQU32 Z1, (BX)(R9*1)
	VMOVDQU32 Z2, (BX)(R9*2)
	VMOVDQU32 Z3, (BX)(R12*1)
	LEAQ (BX)(R9*4), BX
	VMOVDQU32 Z4, (BX)
	VMOVDQU32 Z5, (BX)(R9*1)
	VMOVDQU32 Z6, (BX)(R9*2)
	VMOVDQU32 Z7, (BX)(R12*1)
	LEAQ (BX)(R9*4), BX
	VMOVDQU32 Z8, (BX)
	VMOVDQU32 Z9, (BX)(R9*1)
	VMOVDQU32 Z10, (BX)(R9*2)
	VMOVDQU32 Z11, (BX)(R12*1)
	LEAQ (BX)(R9*4), BX
	VMOVDQU32 Z12, (BX)
	VMOVDQU32 Z13, (BX)(R9*1)
	CMPQ R13, $14
	JLE  next
	VMOVDQU32 Z14, (BX)(R9*2)
	VMOVDQU32 Z15, (BX)(R12*1)
next:
	ADDQ R10, DI
	DECQ CX
	JNZ  group
	VZEROUPPER
	RET
