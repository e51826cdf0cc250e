//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"
#include "gemm_body_amd64.h"

// Row r of the tile is the registers Z(2r) and Z(2r+1); Z28 and Z29 hold a row of b, Z30 and Z31 elements of a.
#define ROW(a, t, lo, hi) \
	VBROADCASTSS a, t \
	VFMADD231PS  Z28, t, lo \
	VFMADD231PS  Z29, t, hi

#define ROWS1 ROW((AX), Z30, Z0, Z1)
#define ROWS2 ROWS1 \
	ROW((AX)(R8*1), Z31, Z2, Z3)
#define ROWS3 ROWS2 \
	ROW((AX)(R8*2), Z30, Z4, Z5)
#define ROWS4 ROWS3 \
	ROW((AX)(R9*1), Z31, Z6, Z7)
#define ROWS5 ROWS4 \
	ROW((AX)(R8*4), Z30, Z8, Z9)
#define ROWS6 ROWS5 \
	ROW((R11), Z31, Z10, Z11)
#define ROWS7 ROWS6 \
	ROW((R11)(R8*1), Z30, Z12, Z13)
#define ROWS8 ROWS7 \
	ROW((R11)(R8*2), Z31, Z14, Z15)
#define ROWS9 ROWS8 \
	ROW((R11)(R9*1), Z30, Z16, Z17)
#define ROWS10 ROWS9 \
	ROW((R11)(R8*4), Z31, Z18, Z19)
#define ROWS11 ROWS10 \
	ROW((R12), Z30, Z20, Z21)
#define ROWS12 ROWS11 \
	ROW((R12)(R8*1), Z31, Z22, Z23)
#define ROWS13 ROWS12 \
	ROW((R12)(R8*2), Z30, Z24, Z25)
#define ROWS14 ROWS13 \
	ROW((R12)(R9*1), Z31, Z26, Z27)

// A row of c between memory at R13 and registers.
#define ZERO(lo, hi) \
	VPXORD lo, lo, lo \
	VPXORD hi, hi, hi
#define GET(lo, hi) \
	VMOVUPS (R13), lo \
	VMOVUPS 64(R13), hi \
	ADDQ    DI, R13
#define WANT(lo, hi) \
	PREFETCHT0 (R13) \
	PREFETCHT0 64(R13) \
	ADDQ       DI, R13
#define PUT(lo, hi) \
	VMOVUPS lo, (DX) \
	VMOVUPS hi, 64(DX) \
	ADDQ    DI, DX

#define ALL1(OP) OP(Z0, Z1)
#define ALL2(OP) ALL1(OP) \
	OP(Z2, Z3)
#define ALL3(OP) ALL2(OP) \
	OP(Z4, Z5)
#define ALL4(OP) ALL3(OP) \
	OP(Z6, Z7)
#define ALL5(OP) ALL4(OP) \
	OP(Z8, Z9)
#define ALL6(OP) ALL5(OP) \
	OP(Z10, Z11)
#define ALL7(OP) ALL6(OP) \
	OP(Z12, Z13)
#define ALL8(OP) ALL7(OP) \
	OP(Z14, Z15)
#define ALL9(OP) ALL8(OP) \
	OP(Z16, Z17)
#define ALL10(OP) ALL9(OP) \
	OP(Z18, Z19)
#define ALL11(OP) ALL10(OP) \
	OP(Z20, Z21)
#define ALL12(OP) ALL11(OP) \
	OP(Z22, Z23)
#define ALL13(OP) ALL12(OP) \
	OP(Z24, Z25)
#define ALL14(OP) ALL13(OP) \
	OP(Z26, Z27)

// BEGIN loads the sums so far, or clears the registers and has c's lines fetched meanwhile.
#define BEGIN(ALL, zero, loop) \
	CMPB tile_more(R13), $0 \
	MOVQ DX, R13 \
	JEQ  zero \
	ALL(GET) \
	JMP   loop \
zero: \
	ALL(ZERO) \
	ALL(WANT)

#define END(ALL) \
	ALL(PUT) \
	VZEROUPPER \
	RET

// Float32: a row of b is 128 bytes.
#define F32(ROWS, ALL, start, zero, loop, done) \
start: \
	BEGIN(ALL, zero, loop) \
loop: \
	VMOVUPS (BX), Z28 \
	VMOVUPS 64(BX), Z29 \
	PREFETCHT0 4096(BX) \
	PREFETCHT0 4160(BX) \
	ROWS \
	ADDQ $128, BX \
	FORWARD \
	DECQ CX \
	JNZ  loop \
	END(ALL)

// Int8: a row of b is 32 bytes.
#define INT8(ROWS, ALL, start, zero, loop, done) \
start: \
	BEGIN(ALL, zero, loop) \
loop: \
	VPMOVSXBD (BX), Z28 \
	VPMOVSXBD 16(BX), Z29 \
	PREFETCHT0 4096(BX) \
	VCVTDQ2PS Z28, Z28 \
	VCVTDQ2PS Z29, Z29 \
	ROWS \
	ADDQ $32, BX \
	FORWARD \
	DECQ CX \
	JNZ  loop \
	END(ALL)

// Pairs of bfloat16: 128 bytes are two rows of b, the first in the low halves of the words. An odd depth
// ends with half a pair.
#define PAIRS(ROWS, ALL, start, zero, loop, done) \
start: \
	BEGIN(ALL, zero, loop) \
loop: \
	VMOVDQU32 (BX), Z28 \
	VMOVDQU32 64(BX), Z29 \
	PREFETCHT0 4096(BX) \
	PREFETCHT0 4160(BX) \
	VPSLLD $16, Z28, Z28 \
	VPSLLD $16, Z29, Z29 \
	ROWS \
	FORWARD \
	DECQ CX \
	JEQ  done \
	VMOVDQU32 (BX), Z28 \
	VMOVDQU32 64(BX), Z29 \
	VPANDD.BCST HIGH, Z28, Z28 \
	VPANDD.BCST HIGH, Z29, Z29 \
	ROWS \
	ADDQ $128, BX \
	FORWARD \
	DECQ CX \
	JNZ  loop \
done: \
	END(ALL)

// TILES is the function for every number of rows.
#define TILES(FORMAT) \
	LOAD \
	MOVQ tile_rows(R13), SI \
	CMPQ SI, $14 \
	JEQ  rows14 \
	CMPQ SI, $1 \
	JEQ  rows1 \
	CMPQ SI, $2 \
	JEQ  rows2 \
	CMPQ SI, $3 \
	JEQ  rows3 \
	CMPQ SI, $4 \
	JEQ  rows4 \
	CMPQ SI, $5 \
	JEQ  rows5 \
	CMPQ SI, $6 \
	JEQ  rows6 \
	CMPQ SI, $7 \
	JEQ  rows7 \
	CMPQ SI, $8 \
	JEQ  rows8 \
	CMPQ SI, $9 \
	JEQ  rows9 \
	CMPQ SI, $10 \
	JEQ  rows10 \
	CMPQ SI, $11 \
	JEQ  rows11 \
	CMPQ SI, $12 \
	JEQ  rows12 \
	JMP  rows13 \
	FORMAT(ROWS1, ALL1, rows1, zero1, loop1, done1) \
	FORMAT(ROWS2, ALL2, rows2, zero2, loop2, done2) \
	FORMAT(ROWS3, ALL3, rows3, zero3, loop3, done3) \
	FORMAT(ROWS4, ALL4, rows4, zero4, loop4, done4) \
	FORMAT(ROWS5, ALL5, rows5, zero5, loop5, done5) \
	FORMAT(ROWS6, ALL6, rows6, zero6, loop6, done6) \
	FORMAT(ROWS7, ALL7, rows7, zero7, loop7, done7) \
	FORMAT(ROWS8, ALL8, rows8, zero8, loop8, done8) \
	FORMAT(ROWS9, ALL9, rows9, zero9, loop9, done9) \
	FORMAT(ROWS10, ALL10, rows10, zero10, loop10, done10) \
	FORMAT(ROWS11, ALL11, rows11, zero11, loop11, done11) \
	FORMAT(ROWS12, ALL12, rows12, zero12, loop12, done12) \
	FORMAT(ROWS13, ALL13, rows13, zero13, loop13, done13) \
	FORMAT(ROWS14, ALL14, rows14, zero14, loop14, done14)

// func tileF32AVX512(t *tile, b unsafe.Pointer)
TEXT ·tileF32AVX512(SB), NOSPLIT, $0-16
	TILES(F32)

// func tilePairsAVX512(t *tile, b unsafe.Pointer)
TEXT ·tilePairsAVX512(SB), NOSPLIT, $0-16
	TILES(PAIRS)

// func tileInt8AVX512(t *tile, b unsafe.Pointer)
TEXT ·tileInt8AVX512(SB), NOSPLIT, $0-16
	TILES(INT8)

// At most 16 columns: row r of the tile is the register Z(2r), of which K1 names the columns that are there.
#undef ROW
#define ROW(a, t, lo, hi) VFMADD231PS.BCST a, Z28, lo
#undef ZERO
#define ZERO(lo, hi) VPXORD lo, lo, lo
#undef GET
#define GET(lo, hi) \
	VMOVUPS.Z (R13), K1, lo \
	ADDQ      DI, R13
#undef WANT
#define WANT(lo, hi) \
	PREFETCHT0 (R13) \
	ADDQ       DI, R13
#undef PUT
#define PUT(lo, hi) \
	VMOVUPS lo, K1, (DX) \
	ADDQ    DI, DX

#define NARROW(ROWS, ALL, start, zero, loop, done) \
start: \
	BEGIN(ALL, zero, loop) \
loop: \
	VMOVUPS (BX), Z28 \
	PREFETCHT0 4096(BX) \
	ROWS \
	ADDQ $128, BX \
	FORWARD \
	DECQ CX \
	JNZ  loop \
	END(ALL)

// func tileNarrowAVX512(t *tile, b unsafe.Pointer)
TEXT ·tileNarrowAVX512(SB), NOSPLIT, $0-16
	MOVQ  t+0(FP), R13
	MOVQ  tile_cols(R13), CX
	MOVL  $1, AX
	SHLL  CX, AX
	DECL  AX
	KMOVW AX, K1
	TILES(NARROW)
