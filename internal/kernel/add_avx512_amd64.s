//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "add_body_amd64.h"

// func addAVX512(dst, a, b *float32, n int)
TEXT ·addAVX512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	SPAN
	EACH(loop, rest, done, STEP_ADD)
	VZEROUPPER
	RET

// func joinAVX512(dst, x, a, b *float32, n int, floor float32)
TEXT ·joinAVX512(SB), NOSPLIT, $0-44
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ a+16(FP), DX
	MOVQ b+24(FP), BX
	MOVQ n+32(FP), CX
	VBROADCASTSS floor+40(FP), V8
	SPAN
	EACH(loop, rest, done, STEP_JOIN)
	VZEROUPPER
	RET

// func scaleAVX512(dst, x *float32, n int, s float32)
TEXT ·scaleAVX512(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS s+24(FP), V8
	SPAN
	EACH(loop, rest, done, STEP_SCALE)
	VZEROUPPER
	RET

// func mulSubAVX512(dx, dy, y *float32, n int, s float32)
TEXT ·mulSubAVX512(SB), NOSPLIT, $0-36
	MOVQ dx+0(FP), DI
	MOVQ dy+8(FP), DX
	MOVQ y+16(FP), SI
	MOVQ n+24(FP), CX
	VBROADCASTSS s+32(FP), V8
	SPAN
	EACH(loop, rest, done, STEP_MULSUB)
	VZEROUPPER
	RET

// func rejectAVX512(dx, dy, y *float32, n int, s, r float32)
TEXT ·rejectAVX512(SB), NOSPLIT, $0-40
	MOVQ dx+0(FP), DI
	MOVQ dy+8(FP), DX
	MOVQ y+16(FP), SI
	MOVQ n+24(FP), CX
	VBROADCASTSS s+32(FP), V8
	VBROADCASTSS r+36(FP), V9
	SPAN
	EACH(loop, rest, done, STEP_REJECT)
	VZEROUPPER
	RET

// func dotAVX512(x, y *float32, n int) float32
TEXT ·dotAVX512(SB), NOSPLIT, $0-28
	MOVQ x+0(FP), SI
	MOVQ y+8(FP), DX
	MOVQ n+16(FP), CX
	SPAN
	ZEROSUMS
	QUADS(quads, ones, QUAD_DOT)
	EACHON(loop, rest, done, STEP_DOT)
	FOLDSUMS
	VZEROUPPER
	MOVSS X0, ret+24(FP)
	RET
