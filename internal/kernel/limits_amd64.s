//go:build amd64 && !noasm

#include "textflag.h"

// Memory needs no wider registers than YMM: one load of 32 bytes a cycle outruns it many times over.

DATA spinConst<>+0(SB)/4, $0x3f000000 // 0.5
DATA spinConst<>+4(SB)/4, $0x3f800000 // 1
GLOBL spinConst<>(SB), RODATA|NOPTR, $8

#define FMA512(r) VFMADD213PS Z31, Z30, r

// func spinFMA512(rounds int)
TEXT ·spinFMA512(SB), NOSPLIT, $0-8
	MOVQ rounds+0(FP), CX
	VBROADCASTSS spinConst<>+0(SB), Z30
	VBROADCASTSS spinConst<>+4(SB), Z31
	VMOVAPS Z31, Z0
	VMOVAPS Z31, Z1
	VMOVAPS Z31, Z2
	VMOVAPS Z31, Z3
	VMOVAPS Z31, Z4
	VMOVAPS Z31, Z5
	VMOVAPS Z31, Z6
	VMOVAPS Z31, Z7
	VMOVAPS Z31, Z8
	VMOVAPS Z31, Z9
	VMOVAPS Z31, Z10
	VMOVAPS Z31, Z11
	VMOVAPS Z31, Z12
	VMOVAPS Z31, Z13
	VMOVAPS Z31, Z14
	VMOVAPS Z31, Z15
	TESTQ CX, CX
	JLE  done

loop:
	FMA512(Z0)
	FMA512(Z1)
	FMA512(Z2)
	FMA512(Z3)
	FMA512(Z4)
	FMA512(Z5)
	FMA512(Z6)
	FMA512(Z7)
	FMA512(Z8)
	FMA512(Z9)
	FMA512(Z10)
	FMA512(Z11)
	FMA512(Z12)
	FMA512(Z13)
	FMA512(Z14)
	FMA512(Z15)
	DECQ CX
	JNE  loop

done:
	VZEROUPPER
	RET

#define FMA256(r) VFMADD213PS Y15, Y14, r

// func spinFMA256(rounds int)
TEXT ·spinFMA256(SB), NOSPLIT, $0-8
	MOVQ rounds+0(FP), CX
	VBROADCASTSS spinConst<>+0(SB), Y14
	VBROADCASTSS spinConst<>+4(SB), Y15
	VMOVAPS Y15, Y0
	VMOVAPS Y15, Y1
	VMOVAPS Y15, Y2
	VMOVAPS Y15, Y3
	VMOVAPS Y15, Y4
	VMOVAPS Y15, Y5
	VMOVAPS Y15, Y6
	VMOVAPS Y15, Y7
	VMOVAPS Y15, Y8
	VMOVAPS Y15, Y9
	VMOVAPS Y15, Y10
	VMOVAPS Y15, Y11
	TESTQ CX, CX
	JLE  done

loop:
	FMA256(Y0)
	FMA256(Y1)
	FMA256(Y2)
	FMA256(Y3)
	FMA256(Y4)
	FMA256(Y5)
	FMA256(Y6)
	FMA256(Y7)
	FMA256(Y8)
	FMA256(Y9)
	FMA256(Y10)
	FMA256(Y11)
	DECQ CX
	JNE  loop

done:
	VZEROUPPER
	RET

// VDPBF16PS Z30, Z31, Zacc, which the assembler does not know; acc below 16. P0 carries the
// inverted high bits of the registers, P1 the inverted low bits of Z31 and the prefix F3.
#define DOT(acc) BYTE $0x62; BYTE $(0x92 ^ ((acc>>3)<<7)); BYTE $0x06; BYTE $0x40; BYTE $0x52; BYTE $(0xc6 | ((acc&7)<<3))

// func spinDot512(rounds int)
TEXT ·spinDot512(SB), NOSPLIT, $0-8
	MOVQ rounds+0(FP), CX
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4
	VPXORQ Z5, Z5, Z5
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15
	VBROADCASTSS spinConst<>+0(SB), Z30 // a pair of bfloat16: 0, 0.5
	VBROADCASTSS spinConst<>+4(SB), Z31 // 0, 1
	TESTQ CX, CX
	JLE  done

loop:
	DOT(0)
	DOT(1)
	DOT(2)
	DOT(3)
	DOT(4)
	DOT(5)
	DOT(6)
	DOT(7)
	DOT(8)
	DOT(9)
	DOT(10)
	DOT(11)
	DOT(12)
	DOT(13)
	DOT(14)
	DOT(15)
	DECQ CX
	JNE  loop

done:
	VZEROUPPER
	RET

// Palette 1; eight tiles of 16 rows by 64 bytes.
DATA spinConfig<>+0(SB)/8, $1
DATA spinConfig<>+8(SB)/8, $0
DATA spinConfig<>+16(SB)/8, $0x0040004000400040
DATA spinConfig<>+24(SB)/8, $0x0040004000400040
DATA spinConfig<>+32(SB)/8, $0
DATA spinConfig<>+40(SB)/8, $0
DATA spinConfig<>+48(SB)/8, $0x1010101010101010
DATA spinConfig<>+56(SB)/8, $0
GLOBL spinConfig<>(SB), RODATA|NOPTR, $64

// LDTILECFG [AX], TILERELEASE, TILEZERO t and TDPBF16PS c, a, b, which the assembler does not know.
#define LOADCONFIG_AX BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0x00
#define RELEASE BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0
#define ZERO(t) BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $(0xc0 | (t<<3))
#define TILEDOT(c, a, b) BYTE $0xc4; BYTE $0xe2; BYTE $(0x02 | ((15-b)<<3)); BYTE $0x5c; BYTE $(0xc0 | (c<<3) | a)

// func spinTiles(rounds int)
TEXT ·spinTiles(SB), NOSPLIT, $0-8
	MOVQ rounds+0(FP), CX
	LEAQ spinConfig<>(SB), AX
	LOADCONFIG_AX
	ZERO(0)
	ZERO(1)
	ZERO(2)
	ZERO(3)
	ZERO(4)
	ZERO(5)
	ZERO(6)
	ZERO(7)
	TESTQ CX, CX
	JLE  done

loop:
	TILEDOT(0, 4, 6)
	TILEDOT(1, 4, 7)
	TILEDOT(2, 5, 6)
	TILEDOT(3, 5, 7)
	DECQ CX
	JNE  loop

done:
	RELEASE
	RET

// func readFloats(x *float32, n int)
TEXT ·readFloats(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ $64, CX
	JLT  tail

loop:
	PREFETCHT0 4096(SI)
	PREFETCHT0 4160(SI)
	PREFETCHT0 4224(SI)
	PREFETCHT0 4288(SI)
	VADDPS (SI), Y0, Y0
	VADDPS 32(SI), Y1, Y1
	VADDPS 64(SI), Y2, Y2
	VADDPS 96(SI), Y3, Y3
	VADDPS 128(SI), Y0, Y0
	VADDPS 160(SI), Y1, Y1
	VADDPS 192(SI), Y2, Y2
	VADDPS 224(SI), Y3, Y3
	ADDQ $256, SI
	SUBQ $64, CX
	JGE  loop

tail:
	ADDQ $64, CX
	JEQ  done

single:
	VADDSS (SI), X0, X0
	ADDQ $4, SI
	DECQ CX
	JNE  single

done:
	VZEROUPPER
	RET

// func mapFloats(dst, src *float32, n int)
TEXT ·mapFloats(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS spinConst<>+4(SB), Y15
	SUBQ $32, CX
	JLT  tail

loop:
	VADDPS (SI), Y15, Y0
	VADDPS 32(SI), Y15, Y1
	VADDPS 64(SI), Y15, Y2
	VADDPS 96(SI), Y15, Y3
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $32, CX
	JGE  loop

tail:
	ADDQ $32, CX
	JEQ  done

single:
	VADDSS (SI), X15, X0
	VMOVSS X0, (DI)
	ADDQ $4, SI
	ADDQ $4, DI
	DECQ CX
	JNE  single

done:
	VZEROUPPER
	RET

// func updateFloats(p, m, v, grad *float32, n int)
TEXT ·updateFloats(SB), NOSPLIT, $0-40
	MOVQ p+0(FP), AX
	MOVQ m+8(FP), BX
	MOVQ v+16(FP), DX
	MOVQ grad+24(FP), SI
	MOVQ n+32(FP), CX
	XORQ DI, DI
	SUBQ $16, CX
	JLT  tail

loop:
	VMOVUPS (SI)(DI*4), Y0
	VMOVUPS 32(SI)(DI*4), Y1
	VADDPS (AX)(DI*4), Y0, Y2
	VADDPS 32(AX)(DI*4), Y1, Y3
	VADDPS (BX)(DI*4), Y0, Y4
	VADDPS 32(BX)(DI*4), Y1, Y5
	VADDPS (DX)(DI*4), Y0, Y6
	VADDPS 32(DX)(DI*4), Y1, Y7
	VMOVUPS Y2, (AX)(DI*4)
	VMOVUPS Y3, 32(AX)(DI*4)
	VMOVUPS Y4, (BX)(DI*4)
	VMOVUPS Y5, 32(BX)(DI*4)
	VMOVUPS Y6, (DX)(DI*4)
	VMOVUPS Y7, 32(DX)(DI*4)
	ADDQ $16, DI
	SUBQ $16, CX
	JGE  loop

tail:
	ADDQ $16, CX
	JEQ  done

single:
	VMOVSS (SI)(DI*4), X0
	VADDSS (AX)(DI*4), X0, X2
	VADDSS (BX)(DI*4), X0, X4
	VADDSS (DX)(DI*4), X0, X6
	VMOVSS X2, (AX)(DI*4)
	VMOVSS X4, (BX)(DI*4)
	VMOVSS X6, (DX)(DI*4)
	INCQ DI
	DECQ CX
	JNE  single

done:
	VZEROUPPER
	RET
