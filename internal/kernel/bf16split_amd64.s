//go:build amd64 && !noasm

#include "textflag.h"

// ROUND: hi = x rounded to bfloat16 as bf16Of does, as the float32 of that value.
#define ROUND(x, hi, t) \
	VCMPPS $3, x, x, K1 \
	VPSRLD $16, x, t \
	VPANDD Z28, t, t \
	VPADDD Z29, t, t \
	VPADDD t, x, hi \
	VPORD  Z30, x, K1, hi \
	VPANDD Z31, hi, hi

// PAIR(at, to): 16 columns of two rows at at(SI), their upper halves to (to) and, unless R8 is set, what these
// leave back to at(SI).
#define PAIR(at, to, done) \
	VMOVUPS at(SI), Z0 \
	VMOVUPS (at+128)(SI), Z1 \
	ROUND(Z0, Z2, Z4) \
	ROUND(Z1, Z3, Z5) \
	VPSRLD $16, Z2, Z6 \
	VPORD Z3, Z6, Z6 \
	VMOVDQU32 Z6, (to) \
	TESTL R8, R8 \
	JNE  done \
	VSUBPS Z2, Z0, Z0 \
	VSUBPS Z3, Z1, Z1 \
	VMOVUPS Z0, at(SI) \
	VMOVUPS Z1, (at+128)(SI)

// func splitPairsAVX512(dst *uint16, row, right int, src *float32, pairs int, last bool)
TEXT ·splitPairsAVX512(SB), NOSPLIT, $0-41
	MOVL $1, AX
	VPBROADCASTD AX, Z28
	MOVL $0x7fff, AX
	VPBROADCASTD AX, Z29
	MOVL $0x400000, AX
	VPBROADCASTD AX, Z30
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z31
	MOVQ dst+0(FP), DI
	MOVQ row+8(FP), R9
	MOVQ right+16(FP), R10
	ADDQ DI, R10
	MOVQ src+24(FP), SI
	MOVQ pairs+32(FP), CX
	MOVBLZX last+40(FP), R8
pair:
	PAIR(0, DI, left)
left:
	PAIR(64, R10, right)
right:
	ADDQ $256, SI
	ADDQ R9, DI
	ADDQ R9, R10
	DECQ CX
	JNZ  pair
	VZEROUPPER
	RET
