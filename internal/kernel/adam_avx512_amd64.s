//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "adam_body_amd64.h"

// func adamAVX512(p, m, v, grad *float32, n int, c *[8]float32)
TEXT ·adamAVX512(SB), NOSPLIT, $0-48
	MOVQ p+0(FP), DI
	MOVQ m+8(FP), SI
	MOVQ v+16(FP), DX
	MOVQ grad+24(FP), BX
	MOVQ n+32(FP), CX
	MOVQ c+40(FP), R13
	SPAN
	VBROADCASTSS 0(R13), V4
	VBROADCASTSS 4(R13), V5
	VBROADCASTSS 8(R13), V6
	VBROADCASTSS 12(R13), V7
	VBROADCASTSS 16(R13), V8
	VBROADCASTSS 20(R13), V9
	VBROADCASTSS 24(R13), V10
	VBROADCASTSS 28(R13), V11
	EACH(loop, rest, done, STEP_ADAM)
	VZEROUPPER
	RET
