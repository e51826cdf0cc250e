//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "dropout_body_amd64.h"

#define KMix1 Z16
#define KMix2 Z17
#define USE_MIX \
	SPLAT(kMix1, KMix1) \
	SPLAT(kMix2, KMix2)
#define KEEP \
	VPCMPUD $5, V11, V0, K2 \
	VMULPS.Z V6, V1, K2, V1

// func dropoutAVX512(dst, x *float32, n int, m *dropoutMask)
TEXT ·dropoutAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ m+24(FP), R13
	SPAN
	USE_MIX
	VBROADCASTSS (R13), V7
	VBROADCASTSS 4(R13), V9
	VBROADCASTSS 8(R13), V10
	VBROADCASTSS 12(R13), V11
	VBROADCASTSS 16(R13), V6
	VPADDD ·vecIota(SB), V7, V7
	MOVL $(WIDTH/4), AX
	VMOVD AX, X8
	VPBROADCASTD X8, V8
	EACH(loop, rest, done, STEP_DROPOUT)
	VZEROUPPER
	RET
