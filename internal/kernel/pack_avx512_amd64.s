//go:build amd64 && !noasm

#include "textflag.h"

// Transposing 16 rows of 16 words: two rounds within 128-bit lanes, two across them. The last round clears the
// columns that K2 leaves out.
#define WORDS(a, b, lo, hi) \
	VUNPCKLPS b, a, lo \
	VUNPCKHPS b, a, hi
#define DOUBLES(a, b, lo, hi) \
	VUNPCKLPD b, a, lo \
	VUNPCKHPD b, a, hi
#define LANES(q0, q1, q2, q3, s0, s1, s2, s3) \
	VSHUFF32X4 $0x88, q1, q0, s0 \
	VSHUFF32X4 $0xdd, q1, q0, s1 \
	VSHUFF32X4 $0x88, q3, q2, s2 \
	VSHUFF32X4 $0xdd, q3, q2, s3 \
	VSHUFF32X4.Z $0x88, s2, s0, K2, q0 \
	VSHUFF32X4.Z $0xdd, s2, s0, K2, q2 \
	VSHUFF32X4.Z $0x88, s3, s1, K2, q1 \
	VSHUFF32X4.Z $0xdd, s3, s1, K2, q3

// ROW loads a row, whose offset lies in the frame.
#define ROW(r, z) \
	MOVQ (8*r)(SP), R11 \
	VMOVUPS.Z (SI)(R11*1), K1, z

#define PUT(z) \
	VMOVUPS z, K3, (DI) \
	ADDQ R8, DI \
	DECQ CX \
	JEQ  done

// MASK sets k to the first n (in AX, lost with DX) of 16 lanes, n up to 16.
#define MASK(k) \
	MOVL $-1, DX \
	BZHIL AX, DX, DX \
	KMOVW DX, k

// func packAcrossAVX512(dst *float32, dstStep, room int, src *float32, srcStep, n, depth int)
TEXT ·packAcrossAVX512(SB), NOSPLIT, $128-56
	MOVQ dst+0(FP), DI
	MOVQ dstStep+8(FP), R8
	MOVQ src+24(FP), SI
	MOVQ srcStep+32(FP), R9
	SHLQ $2, R9
	MOVQ n+40(FP), R10
	MOVQ depth+48(FP), CX
	MOVQ R10, AX
	MASK(K2)
	MOVQ room+16(FP), AX
	MASK(K3)
	SHLQ $2, R8
	// Rows beyond the last read the first.
	XORQ AX, AX
	XORQ R11, R11
offsets:
	MOVQ R11, (SP)(AX*8)
	INCQ AX
	ADDQ R9, R11
	CMPQ AX, R10
	JLT  offsets
	JMP  more
zeros:
	MOVQ $0, (SP)(AX*8)
	INCQ AX
more:
	CMPQ AX, $16
	JLT  zeros
block:
	MOVQ $16, AX
	CMPQ CX, $16
	CMOVQLT CX, AX
	MASK(K1)
	ROW(0, Z0)
	ROW(1, Z1)
	ROW(2, Z2)
	ROW(3, Z3)
	ROW(4, Z4)
	ROW(5, Z5)
	ROW(6, Z6)
	ROW(7, Z7)
	ROW(8, Z8)
	ROW(9, Z9)
	ROW(10, Z10)
	ROW(11, Z11)
	ROW(12, Z12)
	ROW(13, Z13)
	ROW(14, Z14)
	ROW(15, Z15)
	ADDQ $64, SI
	WORDS(Z0, Z1, Z16, Z17)
	WORDS(Z2, Z3, Z18, Z19)
	WORDS(Z4, Z5, Z20, Z21)
	WORDS(Z6, Z7, Z22, Z23)
	WORDS(Z8, Z9, Z24, Z25)
	WORDS(Z10, Z11, Z26, Z27)
	WORDS(Z12, Z13, Z28, Z29)
	WORDS(Z14, Z15, Z30, Z31)
	DOUBLES(Z16, Z18, Z0, Z1)
	DOUBLES(Z17, Z19, Z2, Z3)
	DOUBLES(Z20, Z22, Z4, Z5)
	DOUBLES(Z21, Z23, Z6, Z7)
	DOUBLES(Z24, Z26, Z8, Z9)
	DOUBLES(Z25, Z27, Z10, Z11)
	DOUBLES(Z28, Z30, Z12, Z13)
	DOUBLES(Z29, Z31, Z14, Z15)
	LANES(Z0, Z4, Z8, Z12, Z16, Z17, Z18, Z19)
	LANES(Z1, Z5, Z9, Z13, Z20, Z21, Z22, Z23)
	LANES(Z2, Z6, Z10, Z14, Z24, Z25, Z26, Z27)
	LANES(Z3, Z7, Z11, Z15, Z28, Z29, Z30, Z31)
	PUT(Z0)
	PUT(Z1)
	PUT(Z2)
	PUT(Z3)
	PUT(Z4)
	PUT(Z5)
	PUT(Z6)
	PUT(Z7)
	PUT(Z8)
	PUT(Z9)
	PUT(Z10)
	PUT(Z11)
	PUT(Z12)
	PUT(Z13)
	PUT(Z14)
	PUT(Z15)
	JMP  block
done:
	VZEROUPPER
	RET

// func packAlongAVX512(dst *float32, dstStep int, src *float32, srcStep, n, depth int)
TEXT ·packAlongAVX512(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ dstStep+8(FP), R8
	SHLQ $2, R8
	MOVQ src+16(FP), SI
	MOVQ srcStep+24(FP), R9
	SHLQ $2, R9
	MOVQ depth+40(FP), CX
	MOVQ n+32(FP), AX
	CMPQ AX, $32
	JEQ  whole
	SUBQ $16, AX
	JGT  two
	ADDQ $16, AX
	MASK(K1)
one:
	PREFETCHT0 (SI)(R9*8)
	VMOVUPS.Z (SI), K1, Z0
	VMOVUPS Z0, K1, (DI)
	ADDQ R9, SI
	ADDQ R8, DI
	DECQ CX
	JNZ  one
	VZEROUPPER
	RET
two:
	MASK(K1)
two1:
	VMOVUPS (SI), Z0
	VMOVUPS.Z 64(SI), K1, Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, K1, 64(DI)
	ADDQ R9, SI
	ADDQ R8, DI
	DECQ CX
	JNZ  two1
	VZEROUPPER
	RET
whole:
	PREFETCHT0 (SI)(R9*8)
	PREFETCHT0 64(SI)(R9*8)
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	ADDQ R9, SI
	ADDQ R8, DI
	DECQ CX
	JNZ  whole
	VZEROUPPER
	RET
