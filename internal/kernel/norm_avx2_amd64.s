//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx2_amd64.h"
#include "add_body_amd64.h"
#include "norm_body_amd64.h"

// func normAVX2(y, x, gain, bias *float32, n int, eps float32, stats *[2]float32)
TEXT ·normAVX2(SB), NOSPLIT, $0-56
	MOVQ y+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ gain+16(FP), BX
	MOVQ bias+24(FP), DX
	MOVQ n+32(FP), CX
	MOVQ stats+48(FP), R11
	VCVTSI2SSQ CX, X15, X5
	SPAN
	LEAQ (SI)(R9*1), R12
	ZEROSUMS
	QUADS(quads, ones, QUAD_SUM)
	EACHON(loop, rest, done, STEP_SUM)
	FOLDSUMS
	VDIVSS X5, X0, X0
	VMOVSS X0, (R11)
	VBROADCASTSS X0, V6
	ZEROSUMS
	QUADS(quads2, ones2, QUAD_SQUARES)
	EACHON(loop2, rest2, done2, STEP_SQUARES)
	FOLDSUMS
	VDIVSS X5, X0, X0
	VADDSS eps+40(FP), X0, X0
	VSQRTSS X0, X0, X0
	VMOVSS kOne, X1
	VDIVSS X0, X1, X0
	VMOVSS X0, 4(R11)
	VBROADCASTSS X0, V7
	EACH(loop3, rest3, done3, STEP_NORM)
	VZEROUPPER
	RET

// func normSumsAVX2(dy, x, gain *float32, n int, c *[4]float32)
TEXT ·normSumsAVX2(SB), NOSPLIT, $0-40
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

// func normSumsGainAVX2(dy, x, gain, dgain, dbias *float32, n int, c *[4]float32)
TEXT ·normSumsGainAVX2(SB), NOSPLIT, $0-56
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

// func normGradAVX2(dx, dy, x, gain *float32, n int, c *[4]float32)
TEXT ·normGradAVX2(SB), NOSPLIT, $0-48
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

// func normGradAddAVX2(dx, dy, x, gain, add *float32, n int, c *[4]float32)
TEXT ·normGradAddAVX2(SB), NOSPLIT, $0-56
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
