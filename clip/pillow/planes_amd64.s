//go:build !noasm

#include "textflag.h"

// Where the 16 bytes of red, of green and of blue go in the first, second and third 16 bytes of pixels.
DATA weave<>+0(SB)/8, $0x8002808001808000
DATA weave<>+8(SB)/8, $0x0580800480800380
DATA weave<>+16(SB)/8, $0x0280800180800080
DATA weave<>+24(SB)/8, $0x8080048080038080
DATA weave<>+32(SB)/8, $0x8080018080008080
DATA weave<>+40(SB)/8, $0x8004808003808002
DATA weave<>+48(SB)/8, $0x8080078080068080
DATA weave<>+56(SB)/8, $0x800a808009808008
DATA weave<>+64(SB)/8, $0x8007808006808005
DATA weave<>+72(SB)/8, $0x0a80800980800880
DATA weave<>+80(SB)/8, $0x0780800680800580
DATA weave<>+88(SB)/8, $0x8080098080088080
DATA weave<>+96(SB)/8, $0x0d80800c80800b80
DATA weave<>+104(SB)/8, $0x80800f80800e8080
DATA weave<>+112(SB)/8, $0x80800c80800b8080
DATA weave<>+120(SB)/8, $0x800f80800e80800d
DATA weave<>+128(SB)/8, $0x800c80800b80800a
DATA weave<>+136(SB)/8, $0x0f80800e80800d80
GLOBL weave<>(SB), RODATA|NOPTR, $144

// Factors of pairs of words, times 2^16 and less what is whole in them: 1.402-1 and a half, 1.772-2 and a half,
// -0.344 and 1-0.714; and the half again.
DATA ofRed<>+0(SB)/4, $0x400066e9
GLOBL ofRed<>(SB), RODATA|NOPTR, $4
DATA ofBlue<>+0(SB)/4, $0x4000c5a2
GLOBL ofBlue<>(SB), RODATA|NOPTR, $4
DATA ofGreen<>+0(SB)/4, $0x492ea7e6
GLOBL ofGreen<>(SB), RODATA|NOPTR, $4
DATA round<>+0(SB)/4, $32768
GLOBL round<>(SB), RODATA|NOPTR, $4
DATA two<>+0(SB)/2, $2
GLOBL two<>(SB), RODATA|NOPTR, $2
DATA middle<>+0(SB)/2, $128
GLOBL middle<>(SB), RODATA|NOPTR, $2

// TERM is (a·f + b·g) / 2^16 for the words of a and b, f and g in the pairs of factors.
#define TERM(a, b, factors, out, spare) \
	VPUNPCKLWD b, a, out \
	VPUNPCKHWD b, a, spare \
	VPMADDWD factors, out, out \
	VPMADDWD factors, spare, spare \
	VPSRAD $16, out, out \
	VPSRAD $16, spare, spare \
	VPACKSSDW spare, out, out

// BYTES clips 16 words to the first 16 bytes of y.
#define BYTES(y) \
	VPACKUSWB y, y, y \
	VPERMQ $8, y, y

// WEAVE writes 16 bytes of pixels.
#define WEAVE(red, green, blue, to) \
	VPSHUFB weave<>+red(SB), X3, X6 \
	VPSHUFB weave<>+green(SB), X4, X7 \
	VPOR X6, X7, X7 \
	VPSHUFB weave<>+blue(SB), X5, X6 \
	VPOR X6, X7, X7 \
	VMOVDQU X7, to(DI)

// func coloursAVX2(dst, luma, cb, cr *byte, n int)
TEXT ·coloursAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ luma+8(FP), SI
	MOVQ cb+16(FP), R8
	MOVQ cr+24(FP), R9
	MOVQ n+32(FP), CX
	VPBROADCASTD ofRed<>(SB), Y15
	VPBROADCASTD ofBlue<>(SB), Y14
	VPBROADCASTD ofGreen<>(SB), Y13
	VPBROADCASTD round<>(SB), Y12
	VPBROADCASTW two<>(SB), Y11
	VPBROADCASTW middle<>(SB), Y10
	SUBQ $16, CX
	XORQ AX, AX

pixels:
	VPMOVZXBW (SI)(AX*1), Y0
	VPMOVZXBW (R8)(AX*1), Y1
	VPMOVZXBW (R9)(AX*1), Y2
	VPSUBW Y10, Y1, Y1
	VPSUBW Y10, Y2, Y2
	TERM(Y2, Y11, Y15, Y3, Y6)
	VPADDW Y2, Y3, Y3
	VPADDW Y0, Y3, Y3
	TERM(Y1, Y11, Y14, Y5, Y6)
	VPADDW Y1, Y5, Y5
	VPADDW Y1, Y5, Y5
	VPADDW Y0, Y5, Y5
	VPUNPCKLWD Y2, Y1, Y4
	VPUNPCKHWD Y2, Y1, Y6
	VPMADDWD Y13, Y4, Y4
	VPMADDWD Y13, Y6, Y6
	VPADDD Y12, Y4, Y4
	VPADDD Y12, Y6, Y6
	VPSRAD $16, Y4, Y4
	VPSRAD $16, Y6, Y6
	VPACKSSDW Y6, Y4, Y4
	VPSUBW Y2, Y4, Y4
	VPADDW Y0, Y4, Y4
	BYTES(Y3)
	BYTES(Y4)
	BYTES(Y5)
	LEAQ (AX)(AX*2), BX
	ADDQ BX, DI
	WEAVE(0, 16, 32, 0)
	WEAVE(48, 64, 80, 16)
	WEAVE(96, 112, 128, 32)
	SUBQ BX, DI
	CMPQ AX, CX
	JGE done
	ADDQ $16, AX
	CMPQ AX, CX
	CMOVQGT CX, AX
	JMP pixels

done:
	VZEROUPPER
	RET

// func sumsAVX2(sums *int16, near, far *byte, n int)
TEXT ·sumsAVX2(SB), NOSPLIT, $0-32
	MOVQ sums+0(FP), DI
	MOVQ near+8(FP), SI
	MOVQ far+16(FP), DX
	MOVQ n+24(FP), CX
	SUBQ $16, CX
	XORQ AX, AX

sixteen:
	VPMOVZXBW (SI)(AX*1), Y0
	VPMOVZXBW (DX)(AX*1), Y1
	VPADDW Y0, Y1, Y1
	VPADDW Y0, Y0, Y0
	VPADDW Y0, Y1, Y1
	VMOVDQU Y1, (DI)(AX*2)
	CMPQ AX, CX
	JGE done
	ADDQ $16, AX
	CMPQ AX, CX
	CMOVQGT CX, AX
	JMP sixteen

done:
	VZEROUPPER
	RET

// func doubleAVX2(dst *byte, sums *int16, n int, even, odd, shift int)
TEXT ·doubleAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ sums+8(FP), SI
	MOVQ n+16(FP), CX
	VMOVQ even+24(FP), X10
	VPBROADCASTW X10, Y10
	VMOVQ odd+32(FP), X11
	VPBROADCASTW X11, Y11
	VMOVQ shift+40(FP), X12
	SUBQ $16, CX
	XORQ AX, AX

sixteen:
	VMOVDQU (SI)(AX*2), Y0
	VPADDW Y0, Y0, Y1
	VPADDW Y0, Y1, Y1
	VPADDW -2(SI)(AX*2), Y1, Y2
	VPADDW 2(SI)(AX*2), Y1, Y3
	VPADDW Y10, Y2, Y2
	VPADDW Y11, Y3, Y3
	VPSRLW X12, Y2, Y2
	VPSRLW X12, Y3, Y3
	VPSLLW $8, Y3, Y3
	VPOR Y2, Y3, Y3
	VMOVDQU Y3, (DI)(AX*2)
	CMPQ AX, CX
	JGE done
	ADDQ $16, AX
	CMPQ AX, CX
	CMOVQGT CX, AX
	JMP sixteen

done:
	VZEROUPPER
	RET
