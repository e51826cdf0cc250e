//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "reduce_body_amd64.h"

// FIND leaves in AX the lowest i for which V7 compares with x[i] as asked, or n.
#define FIND(predicate) \
	XORQ R8, R8 \
	CMPQ R8, R10 \
	JGE  rest \
loop: \
	VCMPPS $predicate, (SI)(R8*1), V7, K2 \
	KORTESTW K2, K2 \
	JNZ  found \
	ADDQ $WIDTH, R8 \
	CMPQ R8, R10 \
	JLT  loop \
rest: \
	MOVQ R9, AX \
	SHRQ $2, AX \
	CMPQ R8, R9 \
	JGE  done \
	LT(SI, V0) \
	VCMPPS $predicate, V0, V7, K1, K2 \
	KORTESTW K2, K2 \
	JZ   done \
found: \
	KMOVW K2, AX \
	BSFQ AX, AX \
	SHRQ $2, R8 \
	ADDQ R8, AX \
done:

// func sumSquaresAVX512(x *float32, n int) float64
TEXT ·sumSquaresAVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	SPAN
	ZERO(V8)
	ZERO(V9)
	EACH2(loop, rest, done, SQUARES_F, SQUARES_T)
	VADDPD V9, V8, V0
	SUMD
	VZEROUPPER
	MOVSD X0, ret+16(FP)
	RET

// func firstAboveAVX512(x *float32, n int, v float32) int
TEXT ·firstAboveAVX512(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VBROADCASTSS v+16(FP), V7
	SPAN
	FIND(0x11)
	VZEROUPPER
	MOVQ AX, ret+24(FP)
	RET
