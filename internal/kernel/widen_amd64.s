//go:build amd64 && !noasm

#include "textflag.h"

// A word of pairs holds an element of the first row in its low half and the one below it in its high half; a
// bfloat16 is the high half of a float32.

// func widenPairsAVX512(dst *float32, src *uint16, pairs int)
TEXT ·widenPairsAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ pairs+16(FP), CX
	VPCMPEQD Y4, Y4, Y4
	VPSLLD $16, Y4, Y4
	VPBROADCASTD X4, Z4
pair:
	VMOVDQU32 (SI), Z0
	VMOVDQU32 64(SI), Z1
	VPSLLD    $16, Z0, Z2
	VPSLLD    $16, Z1, Z3
	VPANDD    Z4, Z0, Z0
	VPANDD    Z4, Z1, Z1
	VMOVDQU32 Z2, (DI)
	VMOVDQU32 Z3, 64(DI)
	VMOVDQU32 Z0, 128(DI)
	VMOVDQU32 Z1, 192(DI)
	ADDQ $128, SI
	ADDQ $256, DI
	DECQ CX
	JNZ  pair
	VZEROUPPER
	RET

// EIGHT widens the pairs of eight columns from at on.
#define EIGHT(at) \
	VMOVDQU at(SI), Y0 \
	VPSLLD  $16, Y0, Y1 \
	VPAND   Y4, Y0, Y0 \
	VMOVDQU Y1, at(DI) \
	VMOVDQU Y0, (128+at)(DI)

// func widenPairsAVX2(dst *float32, src *uint16, pairs int)
TEXT ·widenPairsAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ pairs+16(FP), CX
	VPCMPEQD Y4, Y4, Y4
	VPSLLD $16, Y4, Y4
pair:
	EIGHT(0)
	EIGHT(32)
	EIGHT(64)
	EIGHT(96)
	ADDQ $128, SI
	ADDQ $256, DI
	DECQ CX
	JNZ  pair
	VZEROUPPER
	RET

// func widenBytesAVX512(dst *float32, src *int8, rows int)
TEXT ·widenBytesAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ rows+16(FP), CX
row:
	VPMOVSXBD (SI), Z0
	VPMOVSXBD 16(SI), Z1
	VCVTDQ2PS Z0, Z0
	VCVTDQ2PS Z1, Z1
	VMOVUPS   Z0, (DI)
	VMOVUPS   Z1, 64(DI)
	ADDQ $32, SI
	ADDQ $128, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET

// func widenBytesAVX2(dst *float32, src *int8, rows int)
TEXT ·widenBytesAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ rows+16(FP), CX
row:
	VPMOVSXBD (SI), Y0
	VPMOVSXBD 8(SI), Y1
	VPMOVSXBD 16(SI), Y2
	VPMOVSXBD 24(SI), Y3
	VCVTDQ2PS Y0, Y0
	VCVTDQ2PS Y1, Y1
	VCVTDQ2PS Y2, Y2
	VCVTDQ2PS Y3, Y3
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, 32(DI)
	VMOVUPS   Y2, 64(DI)
	VMOVUPS   Y3, 96(DI)
	ADDQ $32, SI
	ADDQ $128, DI
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET
