//go:build amd64 && !noasm

#include "textflag.h"

// The product of attention, c (+)= a·b, for up to 6 rows. The sums of a row and 16 columns are a pair of
// registers; those of 6 rows take Y0 to Y11. Rows 0 and 3 of a lie at AX and BX, R8 bytes apart; b is at SI.

#define SUMS1(S) S((AX), Y0, Y1)
#define SUMS2(S) SUMS1(S) S((AX)(R8*1), Y2, Y3)
#define SUMS3(S) SUMS2(S) S((AX)(R8*2), Y4, Y5)
#define SUMS4(S) SUMS3(S) S((BX), Y6, Y7)
#define SUMS5(S) SUMS4(S) S((BX)(R8*1), Y8, Y9)
#define SUMS6(S) SUMS5(S) S((BX)(R8*2), Y10, Y11)

// What S does with an element x of a and the sums u and v of its row. Y12 is empty for sums that begin at zero.
#define FMA(x, u, v) VBROADCASTSS x, Y14; VFMADD231PS Y12, Y14, u; VFMADD231PS Y13, Y14, v;
#define LOAD(x, u, v) VMASKMOVPS (R14), Y12, u; VMASKMOVPS 32(R14), Y12, v; ADDQ R12, R14;
#define STORE(x, u, v) VMOVUPS u, (R14); VMOVUPS v, 32(R14); ADDQ R12, R14;

// HALF is 16 columns through the whole depth, for as many rows as SUMS has.
#define HALF(here, loop, SUMS) \
here: \
	MOVQ DI, R14 \
	SUMS(LOAD) \
loop: \
	VMOVUPS (SI), Y12 \
	VMOVUPS 32(SI), Y13 \
	SUMS(FMA) \
	ADDQ R11, SI \
	ADDQ R10, AX \
	ADDQ R10, BX \
	DECQ CX \
	JNZ  loop \
	MOVQ DI, R14 \
	SUMS(STORE) \
	JMP  next

// func attnProductAVX2(c *float32, ldc int, a *float32, rowStep, depthStep int, b *float32, ldb, panelStep int, rows, depth, halves, more int)
TEXT ·attnProductAVX2(SB), NOSPLIT, $0-96
	MOVQ c+0(FP), DI
	MOVQ ldc+8(FP), R12
	MOVQ rowStep+24(FP), R8
	MOVQ depthStep+32(FP), R10
	MOVQ ldb+48(FP), R11
	MOVQ rows+64(FP), R15
	XORQ R13, R13
	SHLQ $2, R12
	SHLQ $2, R8
	SHLQ $2, R10
	SHLQ $2, R11
	SHLQ $2, panelStep+56(FP)
	SUBQ $64, panelStep+56(FP)
	NEGQ more+88(FP)
half:
	CMPQ R13, halves+80(FP)
	JGE  done
	MOVQ a+16(FP), AX
	LEAQ (R8)(R8*2), CX
	LEAQ (AX)(CX*1), BX
	MOVQ b+40(FP), SI
	MOVQ depth+72(FP), CX
	VPBROADCASTD more+88(FP), Y12
	CMPQ R15, $6
	JEQ  rows6
	CMPQ R15, $5
	JEQ  rows5
	CMPQ R15, $4
	JEQ  rows4
	CMPQ R15, $3
	JEQ  rows3
	CMPQ R15, $2
	JEQ  rows2
	CMPQ R15, $1
	JEQ  rows1
	RET
next:
	ADDQ  $64, DI
	INCQ  R13
	MOVQ  $64, AX
	TESTQ $1, R13
	JNZ   inside
	MOVQ  panelStep+56(FP), AX
inside:
	ADDQ AX, b+40(FP)
	JMP  half
done:
	VZEROUPPER
	RET
	HALF(rows6, loop6, SUMS6)
	HALF(rows5, loop5, SUMS5)
	HALF(rows4, loop4, SUMS4)
	HALF(rows3, loop3, SUMS3)
	HALF(rows2, loop2, SUMS2)
	HALF(rows1, loop1, SUMS1)
