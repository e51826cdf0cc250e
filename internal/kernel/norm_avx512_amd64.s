//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "add_body_amd64.h"
#include "norm_body_amd64.h"
#include "norm_grad_body_amd64.h"

#define VMEAN Z20
#define VMEAN2 Z21
#define VRSTD2 Z22

// func normRowsAVX512(y, x, gain, bias *float32, n, rows, ystep, xstep int, eps float32, stats *[2]float32)
TEXT ·normRowsAVX512(SB), NOSPLIT, $0-80
	NORMROWS

// func normSumsAVX512(dy, x, gain *float32, n int, c *[4]float32)
TEXT ·normSumsAVX512(SB), NOSPLIT, $0-40
	MOVQ dy+0(FP), DX
	MOVQ x+8(FP), SI
	MOVQ gain+16(FP), BX
	MOVQ n+24(FP), CX
	MOVQ c+32(FP), R13
	SPAN
	VBROADCASTSS (R13), V6
	VBROADCASTSS 4(R13), V7
	ZERO(V8)
	ZERO(V9)
	EACH(loop, rest, done, STEP_GRADSUMS)
	VMOVAPS V8, V0
	SUM
	VMOVSS X0, 8(R13)
	VMOVAPS V9, V0
	SUM
	VMOVSS X0, 12(R13)
	VZEROUPPER
	RET

// func normSumsGainAVX512(dy, x, gain, dgain, dbias *float32, n int, c *[4]float32)
TEXT ·normSumsGainAVX512(SB), NOSPLIT, $0-56
	MOVQ dy+0(FP), DX
	MOVQ x+8(FP), SI
	MOVQ gain+16(FP), BX
	MOVQ dgain+24(FP), R11
	MOVQ dbias+32(FP), R12
	MOVQ n+40(FP), CX
	MOVQ c+48(FP), R13
	SPAN
	VBROADCASTSS (R13), V6
	VBROADCASTSS 4(R13), V7
	ZERO(V8)
	ZERO(V9)
	EACH(loop, rest, done, STEP_GRADSUMSGAIN)
	VMOVAPS V8, V0
	SUM
	VMOVSS X0, 8(R13)
	VMOVAPS V9, V0
	SUM
	VMOVSS X0, 12(R13)
	VZEROUPPER
	RET

// func normGradAVX512(dx, dy, x, gain *float32, n int, c *[4]float32)
TEXT ·normGradAVX512(SB), NOSPLIT, $0-48
	MOVQ dx+0(FP), DI
	MOVQ dy+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ gain+24(FP), BX
	MOVQ n+32(FP), CX
	MOVQ c+40(FP), R13
	SPAN
	NEXTROWS
	VBROADCASTSS (R13), V6
	VBROADCASTSS 4(R13), V7
	VBROADCASTSS 8(R13), V10
	VBROADCASTSS 12(R13), V11
	EACH(loop, rest, done, STEP_NORMGRAD)
	VZEROUPPER
	RET

// func normGradAddAVX512(dx, dy, x, gain, add *float32, n int, c *[4]float32)
TEXT ·normGradAddAVX512(SB), NOSPLIT, $0-56
	MOVQ dx+0(FP), DI
	MOVQ dy+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ gain+24(FP), BX
	MOVQ add+32(FP), R11
	MOVQ n+40(FP), CX
	MOVQ c+48(FP), R13
	SPAN
	NEXTROWS
	VBROADCASTSS (R13), V6
	VBROADCASTSS 4(R13), V7
	VBROADCASTSS 8(R13), V10
	VBROADCASTSS 12(R13), V11
	EACH(loop, rest, done, STEP_NORMGRADADD)
	VZEROUPPER
	RET

// func normSums2AVX512(dy, x, gain, dx *float32, n, dystep, xstep, dxstep int, c *[8]float32)
TEXT ·normSums2AVX512(SB), NOSPLIT, $0-72
	MOVQ dy+0(FP), DX
	MOVQ x+8(FP), SI
	MOVQ gain+16(FP), BX
	MOVQ dx+24(FP), R13
	MOVQ n+32(FP), CX
	MOVQ dystep+40(FP), R15
	ADDQ DX, R15
	MOVQ xstep+48(FP), R14
	ADDQ SI, R14
	SPAN
	MOVQ dxstep+56(FP), CX
	ADDQ R13, CX
	MOVQ c+64(FP), AX
	ROWSTATS
	ZEROSUMS
	EACH(loop, rest, done, STEP_GRADSUMS2)
	SUMSOFTWO
	VZEROUPPER
	RET

// func normSumsGain2AVX512(dy, x, gain, dgain, dbias, dx *float32, n, dystep, xstep, dxstep int, c *[8]float32)
TEXT ·normSumsGain2AVX512(SB), NOSPLIT, $0-88
	MOVQ dy+0(FP), DX
	MOVQ x+8(FP), SI
	MOVQ gain+16(FP), BX
	MOVQ dgain+24(FP), R11
	MOVQ dbias+32(FP), R12
	MOVQ dx+40(FP), R13
	MOVQ n+48(FP), CX
	MOVQ dystep+56(FP), R15
	ADDQ DX, R15
	MOVQ xstep+64(FP), R14
	ADDQ SI, R14
	SPAN
	MOVQ dxstep+72(FP), CX
	ADDQ R13, CX
	MOVQ c+80(FP), AX
	ROWSTATS
	ZEROSUMS
	EACH(loop, rest, done, STEP_GRADSUMSGAIN2)
	SUMSOFTWO
	VZEROUPPER
	RET

// func normGrad2AVX512(dx, dy, x, gain *float32, n, dxstep, dystep, xstep int, c *[8]float32)
TEXT ·normGrad2AVX512(SB), NOSPLIT, $0-72
	MOVQ dx+0(FP), DI
	MOVQ dy+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ gain+24(FP), BX
	MOVQ n+32(FP), CX
	MOVQ dxstep+40(FP), R13
	ADDQ DI, R13
	MOVQ dystep+48(FP), R15
	ADDQ DX, R15
	MOVQ xstep+56(FP), R14
	ADDQ SI, R14
	SPAN
	MOVQ c+64(FP), AX
	ROWMEANS
	LEAQ (R14)(R9*1), R12
	LEAQ (R15)(R9*1), AX
	EACH(loop, rest, done, STEP_NORMGRAD2)
	VZEROUPPER
	RET

// func normGradAdd2AVX512(dx, dy, x, gain, add *float32, n, dxstep, dystep, xstep, addstep int, c *[8]float32)
TEXT ·normGradAdd2AVX512(SB), NOSPLIT, $0-88
	MOVQ dx+0(FP), DI
	MOVQ dy+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ gain+24(FP), BX
	MOVQ add+32(FP), R11
	MOVQ n+40(FP), CX
	MOVQ dxstep+48(FP), R13
	ADDQ DI, R13
	MOVQ dystep+56(FP), R15
	ADDQ DX, R15
	MOVQ xstep+64(FP), R14
	ADDQ SI, R14
	SPAN
	MOVQ addstep+72(FP), CX
	ADDQ R11, CX
	MOVQ c+80(FP), AX
	ROWMEANS
	LEAQ (R14)(R9*1), R12
	LEAQ (R15)(R9*1), AX
	EACH(loop, rest, done, STEP_NORMGRADADD2)
	VZEROUPPER
	RET
