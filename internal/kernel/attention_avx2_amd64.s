//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx2_amd64.h"
#include "exp_body_amd64.h"
#include "attention_body_amd64.h"

// func attnExpAVX2(s *float32, ld int, max, sum *float32, m, n, slope, width int)
TEXT ·attnExpAVX2(SB), NOSPLIT, $0-64
	MOVQ s+0(FP), SI
	MOVQ max+16(FP), BX
	MOVQ sum+24(FP), DX
	MOVQ m+32(FP), R11
	MOVQ n+40(FP), R12
	MOVQ width+56(FP), R15
	SHLQ $2, ld+8(FP)
	JMP  test
row:
	COUNT
	SPAN
	VMOVUPS kNegInf, V8
	EACH2(maxLoop, maxRest, maxDone, STEP_MAX(LF, SF, MF), STEP_MAX(LTN, ST, MT))
	VMOVAPS V8, V0
	MAX(VMAXPS)
	VMAXSS (BX), X0, X0
	VMOVSS X0, (BX)
	VBROADCASTSS X0, V7
	USE_EXP
	ZERO(V8)
	ZERO(V9)
	EACH(loop, rest, done, STEP_EXP)
	VMOVAPS V8, V0
	SUM
	VMOVSS X0, (DX)
	CLEARING(clearTest, clear, CLEAR1)
	ADDQ ld+8(FP), SI
	ADDQ $4, BX
	ADDQ $4, DX
	ADDQ slope+48(FP), R12
	DECQ R11
test:
	TESTQ R11, R11
	JNZ   row
	VZEROUPPER
	RET

// func attnScoreGradAVX2(s, d *float32, ld int, lse, dot *float32, m, n, slope, width int)
TEXT ·attnScoreGradAVX2(SB), NOSPLIT, $0-72
	MOVQ s+0(FP), SI
	MOVQ d+8(FP), DI
	MOVQ lse+24(FP), BX
	MOVQ dot+32(FP), DX
	MOVQ m+40(FP), R11
	MOVQ n+48(FP), R12
	MOVQ width+64(FP), R15
	SHLQ $2, ld+16(FP)
	USE_EXP
	ZERO(V9)
	JMP  test
row:
	COUNT
	SPAN
	VBROADCASTSS (BX), V7
	VBROADCASTSS (DX), V8
	EACH(loop, rest, done, STEP_SCOREGRAD)
	CLEARING(clearTest, clear, CLEAR2)
	ADDQ ld+16(FP), SI
	ADDQ ld+16(FP), DI
	ADDQ $4, BX
	ADDQ $4, DX
	ADDQ slope+56(FP), R12
	DECQ R11
test:
	TESTQ R11, R11
	JNZ   row
	VZEROUPPER
	RET

// func attnCenterAVX2(s, d *float32, ld, m, n, slope, width int)
TEXT ·attnCenterAVX2(SB), NOSPLIT, $0-56
	MOVQ s+0(FP), SI
	MOVQ d+8(FP), DI
	MOVQ ld+16(FP), R11
	MOVQ m+24(FP), BX
	MOVQ n+32(FP), R12
	MOVQ slope+40(FP), DX
	MOVQ width+48(FP), R15
	SHLQ $2, R11
	JMP  test
row:
	COUNT
	SPAN
	ZERO(V8)
	EACH(sumLoop, sumRest, sumDone, STEP_SUM)
	VMOVAPS V8, V0
	SUM
	VBROADCASTSS X0, V8
	EACH(loop, rest, done, STEP_CENTER)
	ADDQ R11, SI
	ADDQ R11, DI
	ADDQ DX, R12
	DECQ BX
test:
	TESTQ BX, BX
	JNZ   row
	VZEROUPPER
	RET

// func attnDotsAVX2(dot, a *float32, lda int, b *float32, ldb, m, n int)
TEXT ·attnDotsAVX2(SB), NOSPLIT, $0-56
	MOVQ dot+0(FP), DX
	MOVQ a+8(FP), SI
	MOVQ lda+16(FP), R11
	MOVQ b+24(FP), DI
	MOVQ ldb+32(FP), R12
	MOVQ m+40(FP), BX
	MOVQ n+48(FP), CX
	SHLQ $2, R11
	SHLQ $2, R12
	SPAN
	JMP  test
row:
	ZERO(V8)
	EACH(loop, rest, done, STEP_DOT)
	VMOVAPS V8, V0
	SUM
	VMOVSS X0, (DX)
	ADDQ R11, SI
	ADDQ R12, DI
	ADDQ $4, DX
	DECQ BX
test:
	TESTQ BX, BX
	JNZ   row
	VZEROUPPER
	RET

// func attnCopyRowsAVX2(dst *float32, ldd int, src *float32, lds, m, n int, factor *float32)
TEXT ·attnCopyRowsAVX2(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ ldd+8(FP), R11
	MOVQ src+16(FP), SI
	MOVQ lds+24(FP), R12
	MOVQ m+32(FP), BX
	MOVQ n+40(FP), CX
	MOVQ factor+48(FP), DX
	SHLQ $2, R11
	SHLQ $2, R12
	SPAN
	LEAQ (SI)(R9*1), AX
	LEAQ (DI)(R9*1), R13
	TESTQ BX, BX
	JZ    done
	TESTQ DX, DX
	JZ    copyRow
row:
	VBROADCASTSS (DX), V7
	EACH(loop, rest, next, STEP_SCALED)
	NEXTROW
	ADDQ $4, DX
	DECQ BX
	JNZ  row
	JMP  done
copyRow:
	EACH(copyLoop, copyRest, copyNext, STEP_COPY)
	NEXTROW
	DECQ BX
	JNZ  copyRow
done:
	VZEROUPPER
	RET

// Four columns of 8 rows as four vectors: rows i and i+4 side by side, then a transpose of 4×4 in each half.
#define ROWS2(a, b, v, x) \
	VMOVUPS a, x \
	VINSERTF128 $1, b, v, v

// FETCH8 fetches a line of the next head's part of each row.
#define FETCH4 \
	PREFETCHT0 (R13) \
	PREFETCHT0 (R13)(R8*1) \
	PREFETCHT0 (R13)(R8*2) \
	PREFETCHT0 (R13)(R9*1) \
	LEAQ (R13)(R8*4), R13

#define FETCH8 \
	FETCH4 \
	FETCH4

// func attnTransposeAVX2(dst, src *float32, ld, quads, rows int)
TEXT ·attnTransposeAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ quads+24(FP), R11
	MOVQ rows+32(FP), CX
	LEAQ ·vecMask+32(SB), AX
	SHLQ $2, CX
	SUBQ CX, AX
	VMOVUPS (AX), Y15
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	LEAQ (SI)(R8*4), AX
	MOVQ R11, R12
	SHLQ $4, R12
	JMP  test
loop:
	TESTQ $3, R11
	JNZ  fetched
	LEAQ (SI)(R12*1), R13
	FETCH8
fetched:
	ROWS2((SI), (AX), Y0, X0)
	ROWS2((SI)(R8*1), (AX)(R8*1), Y1, X1)
	ROWS2((SI)(R8*2), (AX)(R8*2), Y2, X2)
	ROWS2((SI)(R9*1), (AX)(R9*1), Y3, X3)
	VUNPCKLPS Y1, Y0, Y4
	VUNPCKHPS Y1, Y0, Y5
	VUNPCKLPS Y3, Y2, Y6
	VUNPCKHPS Y3, Y2, Y7
	VUNPCKLPD Y6, Y4, Y8
	VUNPCKHPD Y6, Y4, Y9
	VUNPCKLPD Y7, Y5, Y10
	VUNPCKHPD Y7, Y5, Y11
	VMASKMOVPS Y8, Y15, (DI)
	VMASKMOVPS Y9, Y15, 128(DI)
	VMASKMOVPS Y10, Y15, 256(DI)
	VMASKMOVPS Y11, Y15, 384(DI)
	ADDQ $512, DI
	ADDQ $16, SI
	ADDQ $16, AX
	DECQ R11
test:
	TESTQ R11, R11
	JNZ   loop
	VZEROUPPER
	RET
