//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"
#include "gemm_body_amd64.h"

// Products of a few rows in pairs of bfloat16. As in gemm_avx512_amd64.s, row r of the tile is the registers Z(2r) and Z(2r+1);
// Z28 and Z29 hold 32 pairs of b, Z30 and Z31 pairs of a.

// The Go assembler has no VDPBF16PS, so it is spelled as bytes (EVEX.512.F3.0F38.W0 52 /r).
// DP(d, b, a): Zd += the dot product of the bfloat16 pairs of Zb and Za; arguments are register numbers.
#define DP(d, b, a) \
	BYTE $0x62; \
	BYTE $(0xf2 ^ (((d>>3)&1)<<7) ^ (((a>>4)&1)<<6) ^ (((a>>3)&1)<<5) ^ (((d>>4)&1)<<4)); \
	BYTE $(0x7e ^ ((b&15)<<3)); \
	BYTE $(0x48 ^ (((b>>4)&1)<<3)); \
	BYTE $0x52; \
	BYTE $(0xc0 | ((d&7)<<3) | (a&7))

#define ROWA(a, lo, hi) \
	VPBROADCASTD a, Z30 \
	DP(lo, 28, 30) \
	DP(hi, 29, 30)
#define ROWB(a, lo, hi) \
	VPBROADCASTD a, Z31 \
	DP(lo, 28, 31) \
	DP(hi, 29, 31)

#define ROWS1 ROWA((AX), 0, 1)
#define ROWS2 ROWS1 \
	ROWB((AX)(R8*1), 2, 3)
#define ROWS3 ROWS2 \
	ROWA((AX)(R8*2), 4, 5)
#define ROWS4 ROWS3 \
	ROWB((AX)(R9*1), 6, 7)
#define ROWS5 ROWS4 \
	ROWA((AX)(R8*4), 8, 9)
#define ROWS6 ROWS5 \
	ROWB((R11), 10, 11)
#define ROWS7 ROWS6 \
	ROWA((R11)(R8*1), 12, 13)
#define ROWS8 ROWS7 \
	ROWB((R11)(R8*2), 14, 15)
#define ROWS9 ROWS8 \
	ROWA((R11)(R9*1), 16, 17)
#define ROWS10 ROWS9 \
	ROWB((R11)(R8*4), 18, 19)
#define ROWS11 ROWS10 \
	ROWA((R12), 20, 21)
#define ROWS12 ROWS11 \
	ROWB((R12)(R8*1), 22, 23)
#define ROWS13 ROWS12 \
	ROWA((R12)(R8*2), 24, 25)
#define ROWS14 ROWS13 \
	ROWB((R12)(R9*1), 26, 27)

// A row of c between memory at R13 and registers.
#define ZERO(lo, hi) \
	VPXORD lo, lo, lo \
	VPXORD hi, hi, hi
#define GET(lo, hi) \
	VMOVUPS (R13), lo \
	VMOVUPS 64(R13), hi \
	ADDQ    DI, R13
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

// DOT fetches b so many bytes ahead: farther the longer a line takes.
#define DOT(ROWS, ALL, start, zero, loop, far) \
start: \
	CMPB tile_more(R13), $0 \
	MOVQ DX, R13 \
	JEQ  zero \
	ALL(GET) \
	JMP  loop \
zero: \
	ALL(ZERO) \
loop: \
	VMOVUPS (BX), Z28 \
	VMOVUPS 64(BX), Z29 \
	PREFETCHT0 far(BX) \
	PREFETCHT0 (far+64)(BX) \
	ROWS \
	ADDQ $128, BX \
	FORWARD \
	DECQ CX \
	JNZ  loop \
	ALL(PUT) \
	VZEROUPPER \
	RET

// func tileDotAVX512(t *tile, b unsafe.Pointer)
TEXT ·tileDotAVX512(SB), NOSPLIT, $0-16
	LOAD
	MOVQ tile_rows(R13), SI
	CMPQ SI, $1
	JEQ  rows1
	CMPQ SI, $2
	JEQ  rows2
	CMPQ SI, $3
	JEQ  rows3
	CMPQ SI, $4
	JEQ  rows4
	CMPQ SI, $5
	JEQ  rows5
	CMPQ SI, $6
	JEQ  rows6
	CMPQ SI, $7
	JEQ  rows7
	CMPQ SI, $8
	JEQ  rows8
	CMPQ SI, $9
	JEQ  rows9
	CMPQ SI, $10
	JEQ  rows10
	CMPQ SI, $11
	JEQ  rows11
	CMPQ SI, $12
	JEQ  rows12
	CMPQ SI, $13
	JEQ  rows13
	JMP  rows14
	DOT(ROWS1, ALL1, rows1, zero1, loop1, 4096)
	DOT(ROWS2, ALL2, rows2, zero2, loop2, 4096)
	DOT(ROWS3, ALL3, rows3, zero3, loop3, 4096)
	DOT(ROWS4, ALL4, rows4, zero4, loop4, 4096)
	DOT(ROWS5, ALL5, rows5, zero5, loop5, 8192)
	DOT(ROWS6, ALL6, rows6, zero6, loop6, 8192)
	DOT(ROWS7, ALL7, rows7, zero7, loop7, 8192)
	DOT(ROWS8, ALL8, rows8, zero8, loop8, 8192)
	DOT(ROWS9, ALL9, rows9, zero9, loop9, 8192)
	DOT(ROWS10, ALL10, rows10, zero10, loop10, 8192)
	DOT(ROWS11, ALL11, rows11, zero11, loop11, 8192)
	DOT(ROWS12, ALL12, rows12, zero12, loop12, 8192)
	DOT(ROWS13, ALL13, rows13, zero13, loop13, 8192)
	DOT(ROWS14, ALL14, rows14, zero14, loop14, 8192)
