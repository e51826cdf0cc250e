//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"
#include "gemm_body_amd64.h"

// Few rows of int8 weights, two panels at a time: a sum waits for its own last addition, and one panel alone has too few sums to
// fill the time. SI is the bytes from a panel to the one beside it, R12 those from its sums to the others'. Row r of the tile is
// the registers Z(4r) to Z(4r+3); Z24 to Z27 hold a row of both panels, Z30 and Z31 elements of a.
#define ROW(a, t, c0, c1, c2, c3) \
	VBROADCASTSS a, t \
	VFMADD231PS  Z24, t, c0 \
	VFMADD231PS  Z25, t, c1 \
	VFMADD231PS  Z26, t, c2 \
	VFMADD231PS  Z27, t, c3

#define ROWS1 ROW((AX), Z30, Z0, Z1, Z2, Z3)
#define ROWS2 ROWS1 \
	ROW((AX)(R8*1), Z31, Z4, Z5, Z6, Z7)
#define ROWS3 ROWS2 \
	ROW((AX)(R8*2), Z30, Z8, Z9, Z10, Z11)
#define ROWS4 ROWS3 \
	ROW((AX)(R9*1), Z31, Z12, Z13, Z14, Z15)
#define ROWS5 ROWS4 \
	ROW((AX)(R8*4), Z30, Z16, Z17, Z18, Z19)
#define ROWS6 ROWS5 \
	ROW((R11), Z31, Z20, Z21, Z22, Z23)

#define ZERO(c0, c1, c2, c3) \
	VPXORD c0, c0, c0 \
	VPXORD c1, c1, c1 \
	VPXORD c2, c2, c2 \
	VPXORD c3, c3, c3
#define GET(c0, c1, c2, c3) \
	VMOVUPS (R13), c0 \
	VMOVUPS 64(R13), c1 \
	VMOVUPS (R13)(R12*1), c2 \
	VMOVUPS 64(R13)(R12*1), c3 \
	ADDQ    DI, R13
#define PUT(c0, c1, c2, c3) \
	VMOVUPS c0, (DX) \
	VMOVUPS c1, 64(DX) \
	VMOVUPS c2, (DX)(R12*1) \
	VMOVUPS c3, 64(DX)(R12*1) \
	ADDQ    DI, DX

#define ALL1(OP) OP(Z0, Z1, Z2, Z3)
#define ALL2(OP) ALL1(OP) \
	OP(Z4, Z5, Z6, Z7)
#define ALL3(OP) ALL2(OP) \
	OP(Z8, Z9, Z10, Z11)
#define ALL4(OP) ALL3(OP) \
	OP(Z12, Z13, Z14, Z15)
#define ALL5(OP) ALL4(OP) \
	OP(Z16, Z17, Z18, Z19)
#define ALL6(OP) ALL5(OP) \
	OP(Z20, Z21, Z22, Z23)

#define BOTH(ROWS, ALL, start, zero, loop) \
start: \
	MOVQ tile_beside(R13), SI \
	MOVQ tile_besideC(R13), R12 \
	SHLQ $2, R12 \
	CMPB tile_more(R13), $0 \
	MOVQ DX, R13 \
	JEQ  zero \
	ALL(GET) \
	JMP  loop \
zero: \
	ALL(ZERO) \
loop: \
	VPMOVSXBD (BX), Z24 \
	VPMOVSXBD 16(BX), Z25 \
	VPMOVSXBD (BX)(SI*1), Z26 \
	VPMOVSXBD 16(BX)(SI*1), Z27 \
	PREFETCHT0 4096(BX) \
	PREFETCHT0 4096(BX)(SI*1) \
	VCVTDQ2PS Z24, Z24 \
	VCVTDQ2PS Z25, Z25 \
	VCVTDQ2PS Z26, Z26 \
	VCVTDQ2PS Z27, Z27 \
	ROWS \
	ADDQ $32, BX \
	ADDQ R10, AX \
	ADDQ R10, R11 \
	DECQ CX \
	JNZ  loop \
	ALL(PUT) \
	VZEROUPPER \
	RET

// func tileInt8BesideAVX512(t *tile, b unsafe.Pointer)
TEXT ·tileInt8BesideAVX512(SB), NOSPLIT, $0-16
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
	JMP  rows6
	BOTH(ROWS1, ALL1, rows1, zero1, loop1)
	BOTH(ROWS2, ALL2, rows2, zero2, loop2)
	BOTH(ROWS3, ALL3, rows3, zero3, loop3)
	BOTH(ROWS4, ALL4, rows4, zero4, loop4)
	BOTH(ROWS5, ALL5, rows5, zero5, loop5)
	BOTH(ROWS6, ALL6, rows6, zero6, loop6)
