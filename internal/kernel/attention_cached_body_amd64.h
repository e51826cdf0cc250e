// Steps of attention on a cache, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h.

// LISTROW: p = the row that entry CX+i of the list in DI names, or the last of the list if it is
// shorter.
#define LISTROW(i, p) \
	LEAQ    i(CX), R8 \
	MOVQ    n+32(FP), p \
	DECQ    p \
	CMPQ    R8, p \
	CMOVQGT p, R8 \
	MOVLQSX (DI)(R8*4), p \
	IMULQ   stride+40(FP), p \
	ADDQ    k+16(FP), p

// The products of the query in SI with four keys, in V8 to V11. Those eight keys on are fetched.
#define LIST_DOTS \
	LF(SI, V0) \
	PREFETCHT0 (R12)(R8*1) \
	PREFETCHT0 (R13)(R8*1) \
	PREFETCHT0 (R14)(R8*1) \
	PREFETCHT0 (R15)(R8*1) \
	VFMADD231PS (AX)(R8*1), V0, V8 \
	VFMADD231PS (BX)(R8*1), V0, V9 \
	VFMADD231PS (DX)(R8*1), V0, V10 \
	VFMADD231PS (R11)(R8*1), V0, V11

#define LIST_DOTSREST \
	LT(SI, V0) \
	LT(AX, V1) \
	VFMADD231PS V1, V0, V8 \
	LT(BX, V1) \
	VFMADD231PS V1, V0, V9 \
	LT(DX, V1) \
	VFMADD231PS V1, V0, V10 \
	LT(R11, V1) \
	VFMADD231PS V1, V0, V11

// LISTFOLD adds up the lanes of Y8 to Y11, into the four lanes of X0.
#define LISTFOLD \
	VHADDPS Y9, Y8, Y8 \
	VHADDPS Y11, Y10, Y10 \
	VHADDPS Y10, Y8, Y8 \
	VEXTRACTF128 $1, Y8, X1 \
	VADDPS X1, X8, X0

// LISTFOLD512 does so with the lanes of Z8 to Z11.
#define FOLD(z, y, t) \
	VEXTRACTF32X8 $1, z, t \
	VADDPS t, y, y

#define LISTFOLD512 \
	FOLD(Z8, Y8, Y0) \
	FOLD(Z9, Y9, Y1) \
	FOLD(Z10, Y10, Y2) \
	FOLD(Z11, Y11, Y3) \
	LISTFOLD

// MIXROWS: AX = the row of entry CX of the list in DI, DX = that of an entry further on.
#define MIXROWS \
	MOVLQSX (DI)(CX*4), AX \
	IMULQ   stride+40(FP), AX \
	ADDQ    v+16(FP), AX \
	LEAQ    8(CX), R11 \
	CMPQ    R11, n+32(FP) \
	CMOVQGE CX, R11 \
	MOVLQSX (DI)(R11*4), DX \
	IMULQ   stride+40(FP), DX \
	ADDQ    v+16(FP), DX
