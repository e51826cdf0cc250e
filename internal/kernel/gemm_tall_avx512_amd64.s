//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"

// Tall tiles: more rows than those of gemm_avx512_amd64.s by half the columns of a panel. Row r of the tile is the register
// Z(r), and Z28 holds a row of b, so that what has to be widened is widened once for twice the rows. In registers:
//
//	AX, R10  a at the current depth, bytes between depths; rows lie side by side
//	BX       the current row of b
//	CX       the depth that is left
//	DX, DI   c, bytes between its rows
//	R14, R15 what to fetch into the second-level cache, and how far to move on at each depth
#define LOAD \
	MOVQ t+0(FP), R13 \
	MOVQ b+8(FP), BX \
	MOVQ tile_k(R13), CX \
	MOVQ tile_a(R13), AX \
	MOVQ tile_depthStep(R13), R10 \
	SHLQ $2, R10 \
	MOVQ tile_c(R13), DX \
	MOVQ tile_stride(R13), DI \
	SHLQ $2, DI \
	MOVQ tile_ahead(R13), R14 \
	MOVQ tile_aheadStep(R13), R15 \
	MOVQ tile_rows(R13), SI

#define FORWARD \
	PREFETCHT1 (R14) \
	ADDQ R10, AX \
	ADDQ R15, R14

#define ROW(at, sum) VFMADD231PS.BCST at(AX), Z28, sum
#define ZERO(sum) VPXORD sum, sum, sum
#define GET(sum) \
	VMOVUPS (R13), sum \
	ADDQ    DI, R13
#define PUT(sum) \
	VMOVUPS sum, (DX) \
	ADDQ    DI, DX

#define ROWS1 ROW(0, Z0)
#define ROWS2 ROWS1 \
	ROW(4, Z1)
#define ROWS3 ROWS2 \
	ROW(8, Z2)
#define ROWS4 ROWS3 \
	ROW(12, Z3)
#define ROWS5 ROWS4 \
	ROW(16, Z4)
#define ROWS6 ROWS5 \
	ROW(20, Z5)
#define ROWS7 ROWS6 \
	ROW(24, Z6)
#define ROWS8 ROWS7 \
	ROW(28, Z7)
#define ROWS9 ROWS8 \
	ROW(32, Z8)
#define ROWS10 ROWS9 \
	ROW(36, Z9)
#define ROWS11 ROWS10 \
	ROW(40, Z10)
#define ROWS12 ROWS11 \
	ROW(44, Z11)
#define ROWS13 ROWS12 \
	ROW(48, Z12)
#define ROWS14 ROWS13 \
	ROW(52, Z13)
#define ROWS15 ROWS14 \
	ROW(56, Z14)
#define ROWS16 ROWS15 \
	ROW(60, Z15)
#define ROWS17 ROWS16 \
	ROW(64, Z16)
#define ROWS18 ROWS17 \
	ROW(68, Z17)
#define ROWS19 ROWS18 \
	ROW(72, Z18)
#define ROWS20 ROWS19 \
	ROW(76, Z19)
#define ROWS21 ROWS20 \
	ROW(80, Z20)
#define ROWS22 ROWS21 \
	ROW(84, Z21)
#define ROWS23 ROWS22 \
	ROW(88, Z22)
#define ROWS24 ROWS23 \
	ROW(92, Z23)
#define ROWS25 ROWS24 \
	ROW(96, Z24)
#define ROWS26 ROWS25 \
	ROW(100, Z25)
#define ROWS27 ROWS26 \
	ROW(104, Z26)
#define ROWS28 ROWS27 \
	ROW(108, Z27)
#define ALL1(OP) OP(Z0)
#define ALL2(OP) ALL1(OP) \
	OP(Z1)
#define ALL3(OP) ALL2(OP) \
	OP(Z2)
#define ALL4(OP) ALL3(OP) \
	OP(Z3)
#define ALL5(OP) ALL4(OP) \
	OP(Z4)
#define ALL6(OP) ALL5(OP) \
	OP(Z5)
#define ALL7(OP) ALL6(OP) \
	OP(Z6)
#define ALL8(OP) ALL7(OP) \
	OP(Z7)
#define ALL9(OP) ALL8(OP) \
	OP(Z8)
#define ALL10(OP) ALL9(OP) \
	OP(Z9)
#define ALL11(OP) ALL10(OP) \
	OP(Z10)
#define ALL12(OP) ALL11(OP) \
	OP(Z11)
#define ALL13(OP) ALL12(OP) \
	OP(Z12)
#define ALL14(OP) ALL13(OP) \
	OP(Z13)
#define ALL15(OP) ALL14(OP) \
	OP(Z14)
#define ALL16(OP) ALL15(OP) \
	OP(Z15)
#define ALL17(OP) ALL16(OP) \
	OP(Z16)
#define ALL18(OP) ALL17(OP) \
	OP(Z17)
#define ALL19(OP) ALL18(OP) \
	OP(Z18)
#define ALL20(OP) ALL19(OP) \
	OP(Z19)
#define ALL21(OP) ALL20(OP) \
	OP(Z20)
#define ALL22(OP) ALL21(OP) \
	OP(Z21)
#define ALL23(OP) ALL22(OP) \
	OP(Z22)
#define ALL24(OP) ALL23(OP) \
	OP(Z23)
#define ALL25(OP) ALL24(OP) \
	OP(Z24)
#define ALL26(OP) ALL25(OP) \
	OP(Z25)
#define ALL27(OP) ALL26(OP) \
	OP(Z26)
#define ALL28(OP) ALL27(OP) \
	OP(Z27)

#define BEGIN(ALL, zero, loop) \
	CMPB tile_more(R13), $0 \
	MOVQ DX, R13 \
	JEQ  zero \
	ALL(GET) \
	JMP  loop \
zero: \
	ALL(ZERO)

#define END(ALL) \
	ALL(PUT) \
	VZEROUPPER \
	RET

// Pairs of bfloat16, of two rows of b; an odd depth ends with half a pair. Z29 names the high halves of words.
#define PAIRS(ROWS, ALL, start, zero, loop, done) \
start: \
	BEGIN(ALL, zero, loop) \
loop: \
	VMOVDQU32 (BX), Z30 \
	PREFETCHT0 4096(BX) \
	VPSLLD $16, Z30, Z28 \
	ROWS \
	FORWARD \
	DECQ CX \
	JEQ  done \
	VPANDD Z29, Z30, Z28 \
	ROWS \
	ADDQ $128, BX \
	FORWARD \
	DECQ CX \
	JNZ  loop \
done: \
	END(ALL)

// Int8: a row of b is 32 bytes.
#define INT8(ROWS, ALL, start, zero, loop, done) \
start: \
	BEGIN(ALL, zero, loop) \
loop: \
	VPMOVSXBD (BX), Z28 \
	PREFETCHT0 4096(BX) \
	VCVTDQ2PS Z28, Z28 \
	ROWS \
	ADDQ $32, BX \
	FORWARD \
	DECQ CX \
	JNZ  loop \
	END(ALL)

#define TILES(FORMAT) \
	LOAD \
	CMPQ SI, $14 \
	JEQ  rows14 \
	CMPQ SI, $15 \
	JEQ  rows15 \
	CMPQ SI, $16 \
	JEQ  rows16 \
	CMPQ SI, $17 \
	JEQ  rows17 \
	CMPQ SI, $18 \
	JEQ  rows18 \
	CMPQ SI, $19 \
	JEQ  rows19 \
	CMPQ SI, $20 \
	JEQ  rows20 \
	CMPQ SI, $21 \
	JEQ  rows21 \
	CMPQ SI, $22 \
	JEQ  rows22 \
	CMPQ SI, $23 \
	JEQ  rows23 \
	CMPQ SI, $24 \
	JEQ  rows24 \
	CMPQ SI, $25 \
	JEQ  rows25 \
	CMPQ SI, $26 \
	JEQ  rows26 \
	CMPQ SI, $27 \
	JEQ  rows27 \
	JMP  rows28 \
	FORMAT(ROWS14, ALL14, rows14, zero14, loop14, done14) \
	FORMAT(ROWS15, ALL15, rows15, zero15, loop15, done15) \
	FORMAT(ROWS16, ALL16, rows16, zero16, loop16, done16) \
	FORMAT(ROWS17, ALL17, rows17, zero17, loop17, done17) \
	FORMAT(ROWS18, ALL18, rows18, zero18, loop18, done18) \
	FORMAT(ROWS19, ALL19, rows19, zero19, loop19, done19) \
	FORMAT(ROWS20, ALL20, rows20, zero20, loop20, done20) \
	FORMAT(ROWS21, ALL21, rows21, zero21, loop21, done21) \
	FORMAT(ROWS22, ALL22, rows22, zero22, loop22, done22) \
	FORMAT(ROWS23, ALL23, rows23, zero23, loop23, done23) \
	FORMAT(ROWS24, ALL24, rows24, zero24, loop24, done24) \
	FORMAT(ROWS25, ALL25, rows25, zero25, loop25, done25) \
	FORMAT(ROWS26, ALL26, rows26, zero26, loop26, done26) \
	FORMAT(ROWS27, ALL27, rows27, zero27, loop27, done27) \
	FORMAT(ROWS28, ALL28, rows28, zero28, loop28, done28)

// func tallPairsAVX512(t *tile, b unsafe.Pointer)
TEXT ·tallPairsAVX512(SB), NOSPLIT, $0-16
	VPTERNLOGD   $0xff, Z29, Z29, Z29
	VPSLLD       $16, Z29, Z29
	TILES(PAIRS)

// func tallInt8AVX512(t *tile, b unsafe.Pointer)
TEXT ·tallInt8AVX512(SB), NOSPLIT, $0-16
	TILES(INT8)
