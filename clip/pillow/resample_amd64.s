//go:build !noasm

#include "textflag.h"

// Rounding of the accumulators, half of 2^22.
DATA half<>+0(SB)/4, $2097152
GLOBL half<>(SB), RODATA|NOPTR, $4

// Four RGB pixels as pairs of words, two pixels a lane: r0 r1 g0 g1 b0 b1.
DATA pairs<>+0(SB)/8, $0x8004800180038000
DATA pairs<>+8(SB)/8, $0x8080808080058002
DATA pairs<>+16(SB)/8, $0x800a800780098006
DATA pairs<>+24(SB)/8, $0x80808080800b8008
GLOBL pairs<>(SB), RODATA|NOPTR, $32

// Which pair of weights goes to which lane: the high halves, the low halves.
DATA lanes<>+0(SB)/8, $0x0000000000000000
DATA lanes<>+8(SB)/8, $0x0000000000000000
DATA lanes<>+16(SB)/8, $0x0000000100000001
DATA lanes<>+24(SB)/8, $0x0000000100000001
DATA lanes<>+32(SB)/8, $0x0000000200000002
DATA lanes<>+40(SB)/8, $0x0000000200000002
DATA lanes<>+48(SB)/8, $0x0000000300000003
DATA lanes<>+56(SB)/8, $0x0000000300000003
GLOBL lanes<>(SB), RODATA|NOPTR, $64

// SUM puts the two lanes of hi·2^11 + lo together, rounds, and clips to the first four bytes of X.
#define SUM(hi, hiX, lo, other) \
	VPSLLD $11, hi, hi \
	VPADDD lo, hi, hi \
	VEXTRACTI128 $1, hi, other \
	VPADDD other, hiX, hiX \
	VPADDD X11, hiX, hiX \
	VPSRAD $22, hiX, hiX \
	VPACKSSDW hiX, hiX, hiX \
	VPACKUSWB hiX, hiX, hiX

// func rows3AVX2(dst0, dst1, src0, src1 *byte, first *int32, weights *int32, groups, n int)
TEXT ·rows3AVX2(SB), NOSPLIT, $0-64
	MOVQ dst0+0(FP), DI
	MOVQ dst1+8(FP), R8
	MOVQ src0+16(FP), SI
	MOVQ src1+24(FP), R9
	MOVQ first+32(FP), R10
	MOVQ weights+40(FP), R11
	MOVQ groups+48(FP), R12
	MOVQ n+56(FP), CX
	VMOVDQU lanes<>+0(SB), Y14
	VMOVDQU lanes<>+32(SB), Y13
	VMOVDQU pairs<>(SB), Y12
	VPBROADCASTD half<>(SB), X11

output:
	MOVLQSX (R10), AX
	LEAQ (AX)(AX*2), AX
	LEAQ (R9)(AX*1), BX
	ADDQ SI, AX
	MOVQ R12, DX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3

group:
	VMOVDQU (R11), X4
	VPERMD Y4, Y14, Y8
	VPERMD Y4, Y13, Y9
	VBROADCASTI128 (AX), Y5
	VPSHUFB Y12, Y5, Y5
	VPMADDWD Y8, Y5, Y6
	VPADDD Y6, Y0, Y0
	VPMADDWD Y9, Y5, Y7
	VPADDD Y7, Y1, Y1
	VBROADCASTI128 (BX), Y5
	VPSHUFB Y12, Y5, Y5
	VPMADDWD Y8, Y5, Y6
	VPADDD Y6, Y2, Y2
	VPMADDWD Y9, Y5, Y7
	VPADDD Y7, Y3, Y3
	ADDQ $16, R11
	ADDQ $12, AX
	ADDQ $12, BX
	DECQ DX
	JNZ group

	SUM(Y0, X0, Y1, X4)
	SUM(Y2, X2, Y3, X5)
	VMOVD X0, (DI)
	VMOVD X2, (R8)
	ADDQ $3, DI
	ADDQ $3, R8
	ADDQ $4, R10
	DECQ CX
	JNZ output
	VZEROUPPER
	RET

// func columnsAVX2(dst, src *byte, stride, n int, weights *int32, pairs int)
TEXT ·columnsAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ n+24(FP), CX
	MOVQ weights+32(FP), R9
	MOVQ pairs+40(FP), R10
	VPBROADCASTD half<>(SB), Y15
	XORQ AX, AX

chunk:
	LEAQ (SI)(AX*1), R11
	MOVQ R9, R12
	MOVQ R10, R13
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3

pair:
	VPMOVZXBW (R11), Y4
	VPMOVZXBW (R11)(R8*1), Y5
	VPUNPCKLWD Y5, Y4, Y6
	VPUNPCKHWD Y5, Y4, Y7
	VPBROADCASTD (R12), Y8
	VPBROADCASTD 4(R12), Y9
	VPMADDWD Y8, Y6, Y10
	VPADDD Y10, Y0, Y0
	VPMADDWD Y8, Y7, Y11
	VPADDD Y11, Y1, Y1
	VPMADDWD Y9, Y6, Y12
	VPADDD Y12, Y2, Y2
	VPMADDWD Y9, Y7, Y13
	VPADDD Y13, Y3, Y3
	LEAQ (R11)(R8*2), R11
	ADDQ $8, R12
	DECQ R13
	JNZ pair

	VPSLLD $11, Y0, Y0
	VPSLLD $11, Y1, Y1
	VPADDD Y2, Y0, Y0
	VPADDD Y3, Y1, Y1
	VPADDD Y15, Y0, Y0
	VPADDD Y15, Y1, Y1
	VPSRAD $22, Y0, Y0
	VPSRAD $22, Y1, Y1
	VPACKSSDW Y1, Y0, Y0
	VPACKUSWB Y0, Y0, Y0
	VPERMQ $8, Y0, Y0
	VMOVDQU X0, (DI)(AX*1)
	ADDQ $16, AX
	LEAQ 16(AX), DX
	CMPQ DX, CX
	JLE chunk
	CMPQ AX, CX
	JGE done
	LEAQ -16(CX), AX // the last columns, some of them again
	JMP chunk

done:
	VZEROUPPER
	RET
