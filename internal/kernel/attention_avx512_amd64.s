//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "exp_body_amd64.h"
#include "attention_body_amd64.h"

// func attnExpAVX512(s *float32, ld int, max, sum *float32, m, n, slope, width int)
TEXT ·attnExpAVX512(SB), NOSPLIT, $0-64
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
	SPLAT(kNegInf, V8)
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

// func attnScoreGradAVX512(s, d *float32, ld int, lse, dot *float32, m, n, slope, width int)
TEXT ·attnScoreGradAVX512(SB), NOSPLIT, $0-72
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

// func attnCenterAVX512(s, d *float32, ld, m, n, slope, width int)
TEXT ·attnCenterAVX512(SB), NOSPLIT, $0-56
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

// func attnDotsAVX512(dot, a *float32, lda int, b *float32, ldb, m, n int)
TEXT ·attnDotsAVX512(SB), NOSPLIT, $0-56
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

// func attnCopyRowsAVX512(dst *float32, ldd int, src *float32, lds, m, n int, factor *float32)
TEXT ·attnCopyRowsAVX512(SB), NOSPLIT, $0-56
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

// Four columns of 16 rows as four vectors: rows i, i+4, i+8 and i+12 side by side, then a transpose of 4×4 in
// each quarter.
#define ROWS4(a, b, c, d, v, x) \
	VMOVUPS a, x \
	VINSERTF32X4 $1, b, v, v \
	VINSERTF32X4 $2, c, v, v \
	VINSERTF32X4 $3, d, v, v

// FETCH16 fetches a line of the next head's part of each row.
#define FETCH4 \
	PREFETCHT0 (R13) \
	PREFETCHT0 (R13)(R8*1) \
	PREFETCHT0 (R13)(R8*2) \
	PREFETCHT0 (R13)(R9*1) \
	LEAQ (R13)(R8*4), R13

#define FETCH16 \
	FETCH4 \
	FETCH4 \
	FETCH4 \
	FETCH4

// func attnTransposeAVX512(dst, src *float32, ld, quads, rows int)
TEXT ·attnTransposeAVX512(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ quads+24(FP), R11
	MOVQ rows+32(FP), CX
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	LEAQ (SI)(R8*4), AX
	LEAQ (AX)(R8*4), BX
	LEAQ (BX)(R8*4), DX
	MOVQ R11, R12
	SHLQ $4, R12
	JMP  test
loop:
	TESTQ $3, R11
	JNZ  fetched
	LEAQ (SI)(R12*1), R13
	FETCH16
fetched:
	ROWS4((SI), (AX), (BX), (DX), Z0, X0)
	ROWS4((SI)(R8*1), (AX)(R8*1), (BX)(R8*1), (DX)(R8*1), Z1, X1)
	ROWS4((SI)(R8*2), (AX)(R8*2), (BX)(R8*2), (DX)(R8*2), Z2, X2)
	ROWS4((SI)(R9*1), (AX)(R9*1), (BX)(R9*1), (DX)(R9*1), Z3, X3)
	VUNPCKLPS Z1, Z0, Z4
	VUNPCKHPS Z1, Z0, Z5
	VUNPCKLPS Z3, Z2, Z6
	VUNPCKHPS Z3, Z2, Z7
	VUNPCKLPD Z6, Z4, Z8
	VUNPCKHPD Z6, Z4, Z9
	VUNPCKLPD Z7, Z5, Z10
	VUNPCKHPD Z7, Z5, Z11
	VMOVUPS Z8, K1, (DI)
	VMOVUPS Z9, K1, 128(DI)
	VMOVUPS Z10, K1, 256(DI)
	VMOVUPS Z11, K1, 384(DI)
	ADDQ $512, DI
	ADDQ $16, SI
	ADDQ $16, AX
	ADDQ $16, BX
	ADDQ $16, DX
	DECQ R11
test:
	TESTQ R11, R11
	JNZ   loop
	VZEROUPPER
	RET
