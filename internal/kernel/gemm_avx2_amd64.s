//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"
#include "gemm_body_amd64.h"

// Up to three rows (two of bfloat16) are computed 32 columns at once: row r is the registers Y(4r) to Y(4r+3), Y13 to Y15
// hold elements of a, Y12 eight columns of b. So b is one stream, which the processor fetches by itself. More rows are computed in two
// turns of 16 columns, each row in two registers, with 16 columns of b in Y12 and Y13, an element of a in Y14; in one turn if no more
// than 16 columns are asked for. Y15 is the mask of bfloat16.

#define SPLAT1 VBROADCASTSS (AX), Y13
#define SPLAT2 SPLAT1 \
	VBROADCASTSS (AX)(R8*1), Y14
#define SPLAT3 SPLAT2 \
	VBROADCASTSS (AX)(R8*2), Y15

#define WIDE1(q0, q1, q2) VFMADD231PS Y12, Y13, q0
#define WIDE2(q0, q1, q2) WIDE1(q0, q1, q2) \
	VFMADD231PS Y12, Y14, q1
#define WIDE3(q0, q1, q2) WIDE2(q0, q1, q2) \
	VFMADD231PS Y12, Y15, q2

#define ROW(a, lo, hi) \
	VBROADCASTSS a, Y14 \
	VFMADD231PS  Y12, Y14, lo \
	VFMADD231PS  Y13, Y14, hi

// BESIDE is a depth, o bytes on from the current one, of rows of a that lie side by side, so that the place of each element is a constant;
// APART is one of any rows.
#define BESIDE3(o) \
	ROW((o+0)(AX), Y0, Y1) \
	ROW((o+4)(AX), Y2, Y3) \
	ROW((o+8)(AX), Y4, Y5)
#define BESIDE4(o) BESIDE3(o) \
	ROW((o+12)(AX), Y6, Y7)
#define BESIDE5(o) BESIDE4(o) \
	ROW((o+16)(AX), Y8, Y9)
#define BESIDE6(o) BESIDE5(o) \
	ROW((o+20)(AX), Y10, Y11)
#define APART3(o) \
	ROW((o)(AX), Y0, Y1) \
	ROW((o)(AX)(R8*1), Y2, Y3) \
	ROW((o)(AX)(R8*2), Y4, Y5)
#define APART4(o) APART3(o) \
	ROW((o)(AX)(R9*1), Y6, Y7)
#define APART5(o) APART4(o) \
	ROW((o)(AX)(R8*4), Y8, Y9)
#define APART6(o) APART5(o) \
	ROW((o)(R11), Y10, Y11)

// A row of c between memory and registers: four of 32 columns, two of 16.
#define ZERO4(p, q, r, s) \
	VXORPS p, p, p \
	VXORPS q, q, q \
	VXORPS r, r, r \
	VXORPS s, s, s
#define GET4(p, q, r, s) \
	VMOVUPS (R12), p \
	VMOVUPS 32(R12), q \
	VMOVUPS 64(R12), r \
	VMOVUPS 96(R12), s \
	ADDQ    DI, R12
#define PUT4(p, q, r, s) \
	VMOVUPS p, (DX) \
	VMOVUPS q, 32(DX) \
	VMOVUPS r, 64(DX) \
	VMOVUPS s, 96(DX) \
	ADDQ    DI, DX
#define ZERO2(lo, hi) \
	VXORPS lo, lo, lo \
	VXORPS hi, hi, hi
#define GET2(lo, hi) \
	VMOVUPS (R12), lo \
	VMOVUPS 32(R12), hi \
	ADDQ    DI, R12
#define WANT2(lo, hi) \
	PREFETCHT0 (R12) \
	ADDQ       DI, R12
#define PUT2(lo, hi) \
	VMOVUPS lo, (DX) \
	VMOVUPS hi, 32(DX) \
	ADDQ    DI, DX

#define ALL1(OP) OP(Y0, Y1, Y2, Y3)
#define ALL2(OP) ALL1(OP) \
	OP(Y4, Y5, Y6, Y7)
#define ALL3(OP) ALL2(OP) \
	OP(Y8, Y9, Y10, Y11)
#define HALF3(OP) \
	OP(Y0, Y1) \
	OP(Y2, Y3) \
	OP(Y4, Y5)
#define ALL4(OP) HALF3(OP) \
	OP(Y6, Y7)
#define ALL5(OP) ALL4(OP) \
	OP(Y8, Y9)
#define ALL6(OP) ALL5(OP) \
	OP(Y10, Y11)

#define BEGIN4(ALL, zero, loop) \
	MOVQ DX, R12 \
	CMPB tile_more(R13), $0 \
	JEQ  zero \
	ALL(GET4) \
	JMP  loop \
zero: \
	ALL(ZERO4)

#define BEGIN2(ALL, zero, loop) \
	MOVQ DX, R12 \
	CMPB tile_more(R13), $0 \
	JEQ  zero \
	ALL(GET2) \
	JMP  loop \
zero: \
	ALL(ZERO2) \
	ALL(WANT2)

// EIGHT loads eight columns of b, column 8i, into a register: of float32, of int8, and of a pair of rows of bfloat16, of which EIGHTLOW takes the first
// and EIGHTHIGH, with the mask HIGH in Y15, the second.
#define EIGHTF32(i, y) VMOVUPS (32*(i))(BX), y
#define EIGHTINT8(i, y) \
	VPMOVSXBD (8*(i))(BX), y \
	VCVTDQ2PS y, y
#define EIGHTLOW(i, y) \
	VMOVDQU (32*(i))(BX), y \
	VPSLLD  $16, y, y
#define EIGHTHIGH(i, y) VPAND (32*(i))(BX), Y15, y

// STEP4 and STEP2 are one depth.
#define STEP4(EIGHT, SPLAT, WIDE) \
	SPLAT \
	EIGHT(0, Y12) \
	WIDE(Y0, Y4, Y8) \
	EIGHT(1, Y12) \
	WIDE(Y1, Y5, Y9) \
	EIGHT(2, Y12) \
	WIDE(Y2, Y6, Y10) \
	EIGHT(3, Y12) \
	WIDE(Y3, Y7, Y11) \
	FORWARD
#define STEP2(EIGHT, APART) \
	EIGHT(0, Y12) \
	EIGHT(1, Y13) \
	APART(0) \
	FORWARD

// DEPTH2 is one depth at constant distances from what is in registers: a bytes on in a, columns from 8i on of b, whose bytes at are fetched.
#define DEPTH2(EIGHT, i, ROWS, a, at) \
	EIGHT(i, Y12) \
	EIGHT(i+1, Y13) \
	PREFETCHT0 (at)(BX) \
	ROWS(a)

// FOUR is four depths, depth bytes of a and bytes of b from one to the next: a third fewer instructions than one by one.
#define FOUR(P, p, Q, q, R, r, S, s, bytes, ROWS, depth) \
	DEPTH2(P, p, ROWS, 0, 1024) \
	PREFETCHT1 (R14) \
	DEPTH2(Q, q, ROWS, depth, 1024+bytes) \
	PREFETCHT1 (R14)(R15*1) \
	LEAQ (R14)(R15*2), R14 \
	DEPTH2(R, r, ROWS, 2*depth, 1024+2*bytes) \
	PREFETCHT1 (R14) \
	DEPTH2(S, s, ROWS, 3*depth, 1024+3*bytes) \
	PREFETCHT1 (R14)(R15*1) \
	LEAQ (R14)(R15*2), R14 \
	ADDQ $(4*bytes), BX \
	ADDQ $(4*depth), AX \
	ADDQ $(4*depth), R11

// FOURS does depths by fours where they or the rows of a lie side by side, which are depth bytes then, and leaves less than four.
#define FOURS(P, p, Q, q, R, r, S, s, bytes, BESIDE, depth, APART, beside, apart, each, rest, loop, done) \
	CMPQ R10, $4 \
	JEQ  apart \
	CMPQ R8, $4 \
	JNE  loop \
	CMPQ R10, $(depth) \
	JNE  loop \
	SUBQ $4, CX \
	JLT  rest \
	PCALIGN $32 \
beside: \
	FOUR(P, p, Q, q, R, r, S, s, bytes, BESIDE, depth) \
	SUBQ $4, CX \
	JGE  beside \
	JMP  rest \
apart: \
	SUBQ $4, CX \
	JLT  rest \
	PCALIGN $32 \
each: \
	FOUR(P, p, Q, q, R, r, S, s, bytes, APART, 4) \
	SUBQ $4, CX \
	JGE  each \
rest: \
	ADDQ $4, CX \
	JEQ  done

#define LOOP4(EIGHT, bytes, SPLAT, WIDE, ALL, start, zero, loop) \
start: \
	BEGIN4(ALL, zero, loop) \
loop: \
	STEP4(EIGHT, SPLAT, WIDE) \
	ADDQ $bytes, BX \
	DECQ CX \
	JNZ  loop \
	ALL(PUT4) \
	VZEROUPPER \
	RET

#define LOOP2(EIGHT, bytes, BESIDE, depth, APART, ALL, start, zero, fours, beside, apart, each, rest, loop, sums, done) \
start: \
	BEGIN2(ALL, zero, fours) \
fours: \
	FOURS(EIGHT, 0, EIGHT, 4, EIGHT, 8, EIGHT, 12, bytes, BESIDE, depth, APART, beside, apart, each, rest, loop, sums) \
loop: \
	PREFETCHT0 1024(BX) \
	STEP2(EIGHT, APART) \
	ADDQ $bytes, BX \
	DECQ CX \
	JNZ  loop \
sums: \
	ALL(PUT2) \
	SECOND(bytes/2, done) \
	JMP  start \
done: \
	VZEROUPPER \
	RET

#define PAIRS4(SPLAT, WIDE, ALL, start, zero, loop, done) \
start: \
	BEGIN4(ALL, zero, loop) \
loop: \
	STEP4(EIGHTLOW, SPLAT, WIDE) \
	DECQ CX \
	JEQ  done \
	STEP4(EIGHTHIGH, SPLAT, WIDE) \
	ADDQ $128, BX \
	DECQ CX \
	JNZ  loop \
done: \
	ALL(PUT4) \
	VZEROUPPER \
	RET

#define PAIRS2(BESIDE, depth, APART, ALL, start, zero, fours, beside, apart, each, rest, loop, sums, done) \
start: \
	BEGIN2(ALL, zero, fours) \
fours: \
	FOURS(EIGHTLOW, 0, EIGHTHIGH, 0, EIGHTLOW, 4, EIGHTHIGH, 4, 64, BESIDE, depth, APART, beside, apart, each, rest, loop, sums) \
loop: \
	PREFETCHT0 1024(BX) \
	STEP2(EIGHTLOW, APART) \
	DECQ CX \
	JEQ  sums \
	STEP2(EIGHTHIGH, APART) \
	ADDQ $128, BX \
	DECQ CX \
	JNZ  loop \
sums: \
	ALL(PUT2) \
	SECOND(64, done) \
	JMP  start \
done: \
	VZEROUPPER \
	RET

// SECOND goes to columns 16 to 31, which begin bytes further in b, or to done if that was done. SI tells.
#define SECOND(bytes, done) \
	DECQ SI \
	JEQ  done \
	LOAD \
	ADDQ $bytes, BX \
	ADDQ $64, DX

#define CHOOSE \
	LOAD \
	MOVQ tile_rows(R13), SI \
	CMPQ SI, $1 \
	JEQ  rows1 \
	CMPQ SI, $2 \
	JEQ  rows2 \
	MOVL $2, SI \
	CMPQ tile_cols(R13), $0 \
	JEQ  wide \
	CMPQ tile_cols(R13), $16 \
	JGT  wide \
	MOVL $1, SI \
wide: \
	CMPQ tile_rows(R13), $3 \
	JEQ  rows3 \
	CMPQ tile_rows(R13), $5 \
	JLT  rows4 \
	JEQ  rows5 \
	JMP  rows6

#define TILES(EIGHT, bytes) \
	CHOOSE \
	LOOP4(EIGHT, bytes, SPLAT1, WIDE1, ALL1, rows1, zero1, loop1) \
	LOOP4(EIGHT, bytes, SPLAT2, WIDE2, ALL2, rows2, zero2, loop2) \
	LOOP4(EIGHT, bytes, SPLAT3, WIDE3, ALL3, rows3, zero3, loop3) \
	LOOP2(EIGHT, bytes, BESIDE4, 16, APART4, ALL4, rows4, zero4, fours4, beside4, apart4, each4, rest4, loop4, sums4, done4) \
	LOOP2(EIGHT, bytes, BESIDE5, 20, APART5, ALL5, rows5, zero5, fours5, beside5, apart5, each5, rest5, loop5, sums5, done5) \
	LOOP2(EIGHT, bytes, BESIDE6, 24, APART6, ALL6, rows6, zero6, fours6, beside6, apart6, each6, rest6, loop6, sums6, done6)

// func tileF32AVX2(t *tile, b unsafe.Pointer)
TEXT ·tileF32AVX2(SB), NOSPLIT, $0-16
	TILES(EIGHTF32, 128)

// func tileInt8AVX2(t *tile, b unsafe.Pointer)
TEXT ·tileInt8AVX2(SB), NOSPLIT, $0-16
	TILES(EIGHTINT8, 32)

// func tilePairsAVX2(t *tile, b unsafe.Pointer)
TEXT ·tilePairsAVX2(SB), NOSPLIT, $0-16
	VMOVDQU HIGH, Y15
	CHOOSE
	PAIRS4(SPLAT1, WIDE1, ALL1, rows1, zero1, loop1, done1)
	PAIRS4(SPLAT2, WIDE2, ALL2, rows2, zero2, loop2, done2)
	PAIRS2(BESIDE3, 12, APART3, HALF3, rows3, zero3, fours3, beside3, apart3, each3, rest3, loop3, sums3, done3)
	PAIRS2(BESIDE4, 16, APART4, ALL4, rows4, zero4, fours4, beside4, apart4, each4, rest4, loop4, sums4, done4)
	PAIRS2(BESIDE5, 20, APART5, ALL5, rows5, zero5, fours5, beside5, apart5, each5, rest5, loop5, sums5, done5)
	PAIRS2(BESIDE6, 24, APART6, ALL6, rows6, zero6, fours6, beside6, apart6, each6, rest6, loop6, sums6, done6)
