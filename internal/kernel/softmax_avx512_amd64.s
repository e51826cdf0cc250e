//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "exp_body_amd64.h"
#include "softmax_body_amd64.h"

// func maxAVX512(x *float32, n int) float32
TEXT ·maxAVX512(SB), NOSPLIT, $0-20
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	SPAN
	ROWMAX(quads, ones, loop, rest, done)
	VZEROUPPER
	MOVSS X0, ret+16(FP)
	RET

// func expSumAVX512(y, x *float32, n int, m float32, ahead int) float32
TEXT ·expSumAVX512(SB), NOSPLIT, $0-44
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS m+24(FP), VM
	MOVQ ahead+32(FP), R12
	ADDQ SI, R12
	SPAN
	USE_EXP
	ZEROSUM
	GROUPS(groups, ones, loop, rest, done, STEP_EXPSUM)
	FOLDSUM
	VZEROUPPER
	MOVSS X0, ret+40(FP)
	RET

// func sumExpAVX512(x *float32, n int, m float32, ahead int) float32
TEXT ·sumExpAVX512(SB), NOSPLIT, $0-36
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VBROADCASTSS m+16(FP), VM
	MOVQ ahead+24(FP), R12
	ADDQ SI, R12
	SPAN
	USE_EXP
	ZEROSUM
	GROUPS(groups, ones, loop, rest, done, STEP_SUMEXP)
	FOLDSUM
	VZEROUPPER
	MOVSS X0, ret+32(FP)
	RET

// func expScaleAVX512(y, x *float32, n int, m, s float32)
TEXT ·expScaleAVX512(SB), NOSPLIT, $0-32
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS m+24(FP), VM
	VBROADCASTSS s+28(FP), VS0
	SPAN
	USE_EXP
	GROUPS(groups, ones, loop, rest, done, STEP_EXPSCALE)
	VZEROUPPER
	RET

// func softmaxRowsAVX512(y, x *float32, n, rows, ystep, xstep int)
TEXT ·softmaxRowsAVX512(SB), NOSPLIT, $0-48
	SOFTMAX
