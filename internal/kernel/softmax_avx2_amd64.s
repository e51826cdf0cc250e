//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx2_amd64.h"
#include "exp_body_amd64.h"
#include "softmax_body_amd64.h"

// EACHMAX runs STEP_MAX over what QUADS left, with -Inf outside the mask.
#define EACHMAX \
	CMPQ R8, R10 \
	JGE  rest \
loop: \
	STEP_MAX(LF, SF, MF) \
	ADDQ $WIDTH, R8 \
	CMPQ R8, R10 \
	JLT  loop \
rest: \
	CMPQ R8, R9 \
	JGE  done \
	STEP_MAX(LTN, ST, MT) \
done:

// func maxAVX2(x *float32, n int) float32
TEXT ·maxAVX2(SB), NOSPLIT, $0-20
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	SPAN
	SPLAT(kNegInf, V8)
	VMOVAPS V8, V9
	VMOVAPS V8, V10
	VMOVAPS V8, V11
	QUADS(quads, ones, QUAD_MAX)
	EACHMAX
	VMAXPS V8, V9, V8
	VMAXPS V10, V11, V10
	VMAXPS V8, V10, V0
	MAX(VMAXPS)
	VZEROUPPER
	MOVSS X0, ret+16(FP)
	RET

// func expSumAVX2(y, x *float32, n int, m float32) float32
TEXT ·expSumAVX2(SB), NOSPLIT, $0-36
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS m+24(FP), V7
	SPAN
	LEAQ (SI)(R9*1), R12
	USE_EXP
	ZERO(V8)
	EACH(loop, rest, done, STEP_EXPSUM)
	VMOVAPS V8, V0
	SUM
	VZEROUPPER
	MOVSS X0, ret+32(FP)
	RET

// func sumExpAVX2(x *float32, n int, m float32) float32
TEXT ·sumExpAVX2(SB), NOSPLIT, $0-28
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VBROADCASTSS m+16(FP), V7
	SPAN
	USE_EXP
	ZERO(V8)
	EACH(loop, rest, done, STEP_SUMEXP)
	VMOVAPS V8, V0
	SUM
	VZEROUPPER
	MOVSS X0, ret+24(FP)
	RET

// func expScaleAVX2(y, x *float32, n int, m, s float32)
TEXT ·expScaleAVX2(SB), NOSPLIT, $0-32
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS m+24(FP), V7
	VBROADCASTSS s+28(FP), V8
	SPAN
	USE_EXP
	EACH(loop, rest, done, STEP_EXPSCALE)
	VZEROUPPER
	RET
