//go:build amd64 && !noasm

#include "textflag.h"

// The product of attention, c (+)= a·b, for up to 14 rows. The sums of a row and 32 columns are a pair of
// registers; those of 14 rows take Z0 to Z27. Rows 0, 5 and 10 of a lie at AX, BX and DX, R8 bytes apart, with
// R9 = 3·R8; b is at SI.

#define SUMS1(S) S((AX), Z0, Z1)
#define SUMS2(S) SUMS1(S) S((AX)(R8*1), Z2, Z3)
#define SUMS3(S) SUMS2(S) S((AX)(R8*2), Z4, Z5)
#define SUMS4(S) SUMS3(S) S((AX)(R9*1), Z6, Z7)
#define SUMS5(S) SUMS4(S) S((AX)(R8*4), Z8, Z9)
#define SUMS6(S) SUMS5(S) S((BX), Z10, Z11)
#define SUMS7(S) SUMS6(S) S((BX)(R8*1), Z12, Z13)
#define SUMS8(S) SUMS7(S) S((BX)(R8*2), Z14, Z15)
#define SUMS9(S) SUMS8(S) S((BX)(R9*1), Z16, Z17)
#define SUMS10(S) SUMS9(S) S((BX)(R8*4), Z18, Z19)
#define SUMS11(S) SUMS10(S) S((DX), Z20, Z21)
#define SUMS12(S) SUMS11(S) S((DX)(R8*1), Z22, Z23)
#define SUMS13(S) SUMS12(S) S((DX)(R8*2), Z24, Z25)
#define SUMS14(S) SUMS13(S) S((DX)(R9*1), Z26, Z27)

// What S does with an element x of a and the sums u and v of its row. K1 is empty for sums that begin at zero.
#define FMA1(x, u, v) VBROADCASTSS x, Z30; VFMADD231PS Z28, Z30, u;
#define FMA2(x, u, v) VBROADCASTSS x, Z30; VFMADD231PS Z28, Z30, u; VFMADD231PS Z29, Z30, v;
#define LOAD1(x, u, v) VMOVUPS.Z (R14), K1, u; ADDQ R12, R14;
#define LOAD2(x, u, v) VMOVUPS.Z (R14), K1, u; VMOVUPS.Z 64(R14), K1, v; ADDQ R12, R14;
#define STORE1(x, u, v) VMOVUPS u, (R14); ADDQ R12, R14;
#define STORE2(x, u, v) VMOVUPS u, (R14); VMOVUPS v, 64(R14); ADDQ R12, R14;

#define STEPS \
	ADDQ R11, SI \
	ADDQ R10, AX \
	ADDQ R10, BX \
	ADDQ R10, DX \
	DECQ CX

// PANEL is 32 columns through the whole depth, for as many rows as SUMS has. HALF is 16 columns.
#define PANEL(here, loop, SUMS) \
here: \
	MOVQ DI, R14 \
	SUMS(LOAD2) \
loop: \
	VMOVUPS (SI), Z28 \
	VMOVUPS 64(SI), Z29 \
	SUMS(FMA2) \
	STEPS \
	JNZ  loop \
	MOVQ DI, R14 \
	SUMS(STORE2) \
	JMP  next

#define HALF(here, loop, SUMS) \
here: \
	MOVQ DI, R14 \
	SUMS(LOAD1) \
loop: \
	VMOVUPS (SI), Z28 \
	SUMS(FMA1) \
	STEPS \
	JNZ  loop \
	MOVQ DI, R14 \
	SUMS(STORE1) \
	JMP  done

// func attnProductAVX512(c *float32, ldc int, a *float32, rowStep, depthStep int, b *float32, ldb, panelStep int, rows, depth, halves, more int)
TEXT ·attnProductAVX512(SB), NOSPLIT, $0-96
	MOVQ c+0(FP), DI
	MOVQ ldc+8(FP), R12
	MOVQ rowStep+24(FP), R8
	MOVQ depthStep+32(FP), R10
	MOVQ ldb+48(FP), R11
	MOVQ rows+64(FP), R15
	MOVQ halves+80(FP), R13
	SHLQ $2, R12
	SHLQ $2, R8
	SHLQ $2, R10
	SHLQ $2, R11
	LEAQ (R8)(R8*2), R9
	XORQ AX, AX
	SUBQ more+88(FP), AX
	KMOVW AX, K1
	SHLQ $2, panelStep+56(FP)
panel:
	MOVQ a+16(FP), AX
	LEAQ (R8)(R8*4), CX
	LEAQ (AX)(CX*1), BX
	LEAQ (BX)(CX*1), DX
	MOVQ b+40(FP), SI
	MOVQ depth+72(FP), CX
	SUBQ $2, R13
	JLT  half
	CMPQ R15, $14
	JEQ  rows14
	CMPQ R15, $13
	JEQ  rows13
	CMPQ R15, $12
	JEQ  rows12
	CMPQ R15, $11
	JEQ  rows11
	CMPQ R15, $10
	JEQ  rows10
	CMPQ R15, $9
	JEQ  rows9
	CMPQ R15, $8
	JEQ  rows8
	CMPQ R15, $7
	JEQ  rows7
	CMPQ R15, $6
	JEQ  rows6
	CMPQ R15, $5
	JEQ  rows5
	CMPQ R15, $4
	JEQ  rows4
	CMPQ R15, $3
	JEQ  rows3
	CMPQ R15, $2
	JEQ  rows2
	CMPQ R15, $1
	JEQ  rows1
	RET
half:
	CMPQ R13, $-1
	JNE  done
	CMPQ R15, $14
	JEQ  half14
	CMPQ R15, $13
	JEQ  half13
	CMPQ R15, $12
	JEQ  half12
	CMPQ R15, $11
	JEQ  half11
	CMPQ R15, $10
	JEQ  half10
	CMPQ R15, $9
	JEQ  half9
	CMPQ R15, $8
	JEQ  half8
	CMPQ R15, $7
	JEQ  half7
	CMPQ R15, $6
	JEQ  half6
	CMPQ R15, $5
	JEQ  half5
	CMPQ R15, $4
	JEQ  half4
	CMPQ R15, $3
	JEQ  half3
	CMPQ R15, $2
	JEQ  half2
	CMPQ R15, $1
	JEQ  half1
	RET
next:
	ADDQ $128, DI
	MOVQ panelStep+56(FP), AX
	ADDQ AX, b+40(FP)
	JMP  panel
done:
	VZEROUPPER
	RET
	PANEL(rows14, loop14, SUMS14)
	PANEL(rows13, loop13, SUMS13)
	PANEL(rows12, loop12, SUMS12)
	PANEL(rows11, loop11, SUMS11)
	PANEL(rows10, loop10, SUMS10)
	PANEL(rows9, loop9, SUMS9)
	PANEL(rows8, loop8, SUMS8)
	PANEL(rows7, loop7, SUMS7)
	PANEL(rows6, loop6, SUMS6)
	PANEL(rows5, loop5, SUMS5)
	PANEL(rows4, loop4, SUMS4)
	PANEL(rows3, loop3, SUMS3)
	PANEL(rows2, loop2, SUMS2)
	PANEL(rows1, loop1, SUMS1)
	HALF(half14, halfLoop14, SUMS14)
	HALF(half13, halfLoop13, SUMS13)
	HALF(half12, halfLoop12, SUMS12)
	HALF(half11, halfLoop11, SUMS11)
	HALF(half10, halfLoop10, SUMS10)
	HALF(half9, halfLoop9, SUMS9)
	HALF(half8, halfLoop8, SUMS8)
	HALF(half7, halfLoop7, SUMS7)
	HALF(half6, halfLoop6, SUMS6)
	HALF(half5, halfLoop5, SUMS5)
	HALF(half4, halfLoop4, SUMS4)
	HALF(half3, halfLoop3, SUMS3)
	HALF(half2, halfLoop2, SUMS2)
	HALF(half1, halfLoop1, SUMS1)
