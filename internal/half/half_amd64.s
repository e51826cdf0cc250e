//go:build amd64 && !noasm

#include "textflag.h"

#define ARGS \
	MOVQ half+0(FP), DI \
	MOVQ wide+8(FP), SI \
	MOVQ n+16(FP), CX

// ROUND512: the low halves of x become its bfloat16 bits: (x + 0x7fff + bit 16 of x) >> 16, or for a
// NaN (x >> 16) | 0x40. Z28 = 1, Z29 = 0x7fff, Z30 = 0x40.
#define ROUND512(x, t, u) \
	VCMPPS $3, x, x, K1 \
	VPSRLD $16, x, t \
	VPANDD Z28, t, u \
	VPADDD Z29, u, u \
	VPADDD u, x, x \
	VPSRLD $16, x, x \
	VPORD  Z30, t, K1, x

// func toBF16AVX512(half *uint16, wide *float32, n int)
TEXT ·toBF16AVX512(SB), NOSPLIT, $0-24
	ARGS
	MOVL $1, AX
	VPBROADCASTD AX, Z28
	MOVL $0x7fff, AX
	VPBROADCASTD AX, Z29
	MOVL $0x40, AX
	VPBROADCASTD AX, Z30
loop:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	ROUND512(Z0, Z2, Z4)
	ROUND512(Z1, Z3, Z5)
	VPMOVDW Z0, (DI)
	VPMOVDW Z1, 32(DI)
	ADDQ $128, SI
	ADDQ $64, DI
	SUBQ $32, CX
	JNZ  loop
	VZEROUPPER
	RET

// func fromBF16AVX512(half *uint16, wide *float32, n int)
TEXT ·fromBF16AVX512(SB), NOSPLIT, $0-24
	ARGS
loop:
	VPMOVZXWD (DI), Z0
	VPMOVZXWD 32(DI), Z1
	VPSLLD $16, Z0, Z0
	VPSLLD $16, Z1, Z1
	VMOVUPS Z0, (SI)
	VMOVUPS Z1, 64(SI)
	ADDQ $128, SI
	ADDQ $64, DI
	SUBQ $32, CX
	JNZ  loop
	VZEROUPPER
	RET

// func toF16AVX512(half *uint16, wide *float32, n int)
TEXT ·toF16AVX512(SB), NOSPLIT, $0-24
	ARGS
loop:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VCVTPS2PH $0, Z0, (DI)
	VCVTPS2PH $0, Z1, 32(DI)
	ADDQ $128, SI
	ADDQ $64, DI
	SUBQ $32, CX
	JNZ  loop
	VZEROUPPER
	RET

// func fromF16AVX512(half *uint16, wide *float32, n int)
TEXT ·fromF16AVX512(SB), NOSPLIT, $0-24
	ARGS
loop:
	VCVTPH2PS (DI), Z0
	VCVTPH2PS 32(DI), Z1
	VMOVUPS Z0, (SI)
	VMOVUPS Z1, 64(SI)
	ADDQ $128, SI
	ADDQ $64, DI
	SUBQ $32, CX
	JNZ  loop
	VZEROUPPER
	RET

// ROUND256 is ROUND512 on eight numbers. Y11 = 1, Y12 = 0x7fff, Y13 = 0x40.
#define ROUND256(x, t, u, v) \
	VCMPPS $3, x, x, v \
	VPSRLD $16, x, t \
	VPAND  Y11, t, u \
	VPADDD Y12, u, u \
	VPADDD u, x, x \
	VPSRLD $16, x, x \
	VPOR   Y13, t, t \
	VBLENDVPS v, t, x, x

// func toBF16AVX2(half *uint16, wide *float32, n int)
TEXT ·toBF16AVX2(SB), NOSPLIT, $0-24
	ARGS
	MOVL $1, AX
	VMOVD AX, X11
	VPBROADCASTD X11, Y11
	MOVL $0x7fff, AX
	VMOVD AX, X12
	VPBROADCASTD X12, Y12
	MOVL $0x40, AX
	VMOVD AX, X13
	VPBROADCASTD X13, Y13
loop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	ROUND256(Y0, Y2, Y4, Y6)
	ROUND256(Y1, Y3, Y5, Y7)
	VPACKUSDW Y1, Y0, Y0
	VPERMQ $0xd8, Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func fromBF16AVX2(half *uint16, wide *float32, n int)
TEXT ·fromBF16AVX2(SB), NOSPLIT, $0-24
	ARGS
loop:
	VPMOVZXWD (DI), Y0
	VPMOVZXWD 16(DI), Y1
	VPSLLD $16, Y0, Y0
	VPSLLD $16, Y1, Y1
	VMOVUPS Y0, (SI)
	VMOVUPS Y1, 32(SI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func toF16AVX2(half *uint16, wide *float32, n int)
TEXT ·toF16AVX2(SB), NOSPLIT, $0-24
	ARGS
loop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VCVTPS2PH $0, Y0, (DI)
	VCVTPS2PH $0, Y1, 16(DI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET

// func fromF16AVX2(half *uint16, wide *float32, n int)
TEXT ·fromF16AVX2(SB), NOSPLIT, $0-24
	ARGS
loop:
	VCVTPH2PS (DI), Y0
	VCVTPH2PS 16(DI), Y1
	VMOVUPS Y0, (SI)
	VMOVUPS Y1, 32(SI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  loop
	VZEROUPPER
	RET
