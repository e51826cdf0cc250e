//go:build amd64 && !noasm

#include "textflag.h"

// Transposing 8 rows of 8 words. The result's columns that Y15 leaves out are cleared.
#define WORDS(a, b, lo, hi) \
	VUNPCKLPS b, a, lo \
	VUNPCKHPS b, a, hi
#define FOUR(t0, t1, t2, t3, u0, u1, u2, u3) \
	VUNPCKLPD t2, t0, u0 \
	VUNPCKHPD t2, t0, u1 \
	VUNPCKLPD t3, t1, u2 \
	VUNPCKHPD t3, t1, u3
#define LANES(lo, hi, a, b) \
	VPERM2F128 $0x20, hi, lo, a \
	VPERM2F128 $0x31, hi, lo, b \
	VANDPS Y15, a, a \
	VANDPS Y15, b, b

#define ROW(r, y) \
	MOVQ (8*r)(SP), R11 \
	VMOVUPS (SI)(R11*1), y
#define ROWM(r, y) \
	MOVQ (8*r)(SP), R11 \
	VMASKMOVPS (SI)(R11*1), Y14, y
#define PUT(y) \
	VMOVUPS y, (DI) \
	ADDQ R8, DI
#define PUTM(y) \
	VMASKMOVPS y, Y13, (DI) \
	ADDQ R8, DI \
	DECQ CX \
	JEQ  done

// MASK sets y to the first n (in AX, lost) of 8 lanes. DX is lost.
#define MASK(y) \
	SHLQ $2, AX \
	LEAQ ·vecMask+32(SB), DX \
	SUBQ AX, DX \
	VMOVUPS (DX), y

#define TRANSPOSE \
	WORDS(Y0, Y1, Y8, Y9) \
	WORDS(Y2, Y3, Y10, Y11) \
	FOUR(Y8, Y9, Y10, Y11, Y0, Y1, Y2, Y3) \
	WORDS(Y4, Y5, Y8, Y9) \
	WORDS(Y6, Y7, Y10, Y11) \
	FOUR(Y8, Y9, Y10, Y11, Y4, Y5, Y6, Y7) \
	LANES(Y0, Y4, Y8, Y12) \
	LANES(Y1, Y5, Y9, Y4) \
	LANES(Y2, Y6, Y10, Y5) \
	LANES(Y3, Y7, Y11, Y6)

// func packAcrossAVX2(dst *float32, dstStep int, src *float32, srcStep, n, depth int)
TEXT ·packAcrossAVX2(SB), NOSPLIT, $64-48
	MOVQ dst+0(FP), DI
	MOVQ dstStep+8(FP), R8
	MOVQ src+16(FP), SI
	MOVQ srcStep+24(FP), R9
	SHLQ $2, R9
	MOVQ n+32(FP), R10
	MOVQ depth+40(FP), CX
	MOVQ R10, AX
	MASK(Y15)
	MOVQ $8, AX
	CMPQ R8, AX
	CMOVQLT R8, AX
	MASK(Y13)
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
	CMPQ AX, $8
	JLT  zeros
	// Whole vectors are written over one another where rows of dst are shorter, but for the last ones.
	SUBQ $8, CX
	JLE  last
block:
	ROW(0, Y0)
	ROW(1, Y1)
	ROW(2, Y2)
	ROW(3, Y3)
	ROW(4, Y4)
	ROW(5, Y5)
	ROW(6, Y6)
	ROW(7, Y7)
	ADDQ $32, SI
	TRANSPOSE
	PUT(Y8)
	PUT(Y9)
	PUT(Y10)
	PUT(Y11)
	PUT(Y12)
	PUT(Y4)
	PUT(Y5)
	PUT(Y6)
	SUBQ $8, CX
	JGT  block
last:
	ADDQ $8, CX
	MOVQ CX, AX
	MASK(Y14)
	ROWM(0, Y0)
	ROWM(1, Y1)
	ROWM(2, Y2)
	ROWM(3, Y3)
	ROWM(4, Y4)
	ROWM(5, Y5)
	ROWM(6, Y6)
	ROWM(7, Y7)
	TRANSPOSE
	PUTM(Y8)
	PUTM(Y9)
	PUTM(Y10)
	PUTM(Y11)
	PUTM(Y12)
	PUTM(Y4)
	PUTM(Y5)
	PUTM(Y6)
done:
	VZEROUPPER
	RET

// func packAlongAVX2(dst *float32, dstStep int, src *float32, srcStep, n, depth int)
TEXT ·packAlongAVX2(SB), NOSPLIT, $0-48
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
	MASK(Y1)
	DECQ CX
	JEQ  last
some:
	VMASKMOVPS (SI), Y1, Y0
	VMOVUPS Y0, (DI)
	ADDQ R9, SI
	ADDQ R8, DI
	DECQ CX
	JNZ  some
last:
	VMASKMOVPS (SI), Y1, Y0
	VMASKMOVPS Y0, Y1, (DI)
	VZEROUPPER
	RET
whole:
	PREFETCHT0 (SI)(R9*8)
	PREFETCHT0 64(SI)(R9*8)
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS 64(SI), Y2
	VMOVUPS 96(SI), Y3
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	ADDQ R9, SI
	ADDQ R8, DI
	DECQ CX
	JNZ  whole
	VZEROUPPER
	RET
