// Elementwise steps and dot products, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h.

// dst = a + b; DI, SI, DX
#define STEP_ADD(L, S, M) \
	L(SI, V0) \
	L(DX, V1) \
	VADDPS V1, V0, V0 \
	S(V0, DI)

// dst = what is above floor of (x + a) + b; DI, SI, DX, BX, floor in V8
#define STEP_JOIN(L, S, M) \
	L(SI, V0) \
	L(DX, V1) \
	VADDPS V1, V0, V0 \
	L(BX, V1) \
	VADDPS V1, V0, V0 \
	VMAXPS V0, V8, V0 \
	S(V0, DI)

// dst = x·s; DI, SI, s in V8
#define STEP_SCALE(L, S, M) \
	L(SI, V0) \
	VMULPS V8, V0, V0 \
	S(V0, DI)

// dx = y·(dy - s); DI, DX, SI, s in V8
#define STEP_MULSUB(L, S, M) \
	L(DX, V0) \
	L(SI, V1) \
	VSUBPS V8, V0, V0 \
	VMULPS V1, V0, V0 \
	S(V0, DI)

// dx = (dy - y·s)·r; DI, DX, SI, s in V8, r in V9
#define STEP_REJECT(L, S, M) \
	L(DX, V0) \
	L(SI, V1) \
	VFNMADD231PS V8, V1, V0 \
	VMULPS V9, V0, V0 \
	S(V0, DI)

// Σ x·y in V8 to V11; SI, DX
#define QUAD_DOT \
	VMOVUPS (SI)(R8*1), V0 \
	VMOVUPS (1*WIDTH)(SI)(R8*1), V1 \
	VMOVUPS (2*WIDTH)(SI)(R8*1), V2 \
	VMOVUPS (3*WIDTH)(SI)(R8*1), V3 \
	VFMADD231PS (DX)(R8*1), V0, V8 \
	VFMADD231PS (1*WIDTH)(DX)(R8*1), V1, V9 \
	VFMADD231PS (2*WIDTH)(DX)(R8*1), V2, V10 \
	VFMADD231PS (3*WIDTH)(DX)(R8*1), V3, V11

#define STEP_DOT(L, S, M) \
	L(SI, V0) \
	L(DX, V1) \
	VFMADD231PS V1, V0, V8

// ZEROSUMS and FOLDSUMS: V8 to V11 cleared, and added into X0.
#define ZEROSUMS \
	ZERO(V8) \
	ZERO(V9) \
	ZERO(V10) \
	ZERO(V11)

#define FOLDSUMS \
	VADDPS V9, V8, V8 \
	VADDPS V11, V10, V10 \
	VADDPS V10, V8, V0 \
	SUM
