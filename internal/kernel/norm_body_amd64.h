// Steps of layer norm, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h. x in SI, gain in BX; the
// mean in V6, rstd in V7.

#define QUAD_SUM \
	VADDPS (SI)(R8*1), V8, V8 \
	VADDPS (1*WIDTH)(SI)(R8*1), V9, V9 \
	VADDPS (2*WIDTH)(SI)(R8*1), V10, V10 \
	VADDPS (3*WIDTH)(SI)(R8*1), V11, V11

#define STEP_SUM(L, S, M) \
	L(SI, V0) \
	VADDPS V0, V8, V8

#define QUAD_SQUARES \
	VMOVUPS (SI)(R8*1), V0 \
	VMOVUPS (1*WIDTH)(SI)(R8*1), V1 \
	VMOVUPS (2*WIDTH)(SI)(R8*1), V2 \
	VMOVUPS (3*WIDTH)(SI)(R8*1), V3 \
	VSUBPS V6, V0, V0 \
	VSUBPS V6, V1, V1 \
	VSUBPS V6, V2, V2 \
	VSUBPS V6, V3, V3 \
	VFMADD231PS V0, V0, V8 \
	VFMADD231PS V1, V1, V9 \
	VFMADD231PS V2, V2, V10 \
	VFMADD231PS V3, V3, V11

#define STEP_SQUARES(L, S, M) \
	L(SI, V0) \
	VSUBPS V6, V0, V0 \
	M(V0) \
	VFMADD231PS V0, V0, V8

// y = (x - mean)·rstd·gain + bias; y in DI, bias in DX; what follows x, usually its next row, in R12: it is
// fetched while this row is computed
#define STEP_NORM(L, S, M) \
	PREFETCHT0 (R12)(R8*1) \
	L(SI, V0) \
	L(BX, V1) \
	L(DX, V2) \
	VSUBPS V6, V0, V0 \
	VMULPS V7, V0, V0 \
	VFMADD213PS V2, V1, V0 \
	S(V0, DI)

// NORMED: V0 = x̂, V1 = dy (in DX), V2 = dy·gain.
#define NORMED(L) \
	L(SI, V0) \
	L(DX, V1) \
	L(BX, V2) \
	VSUBPS V6, V0, V0 \
	VMULPS V7, V0, V0 \
	VMULPS V1, V2, V2

// Σ dy·gain in V8, Σ dy·gain·x̂ in V9
#define STEP_GRADSUMS(L, S, M) \
	NORMED(L) \
	VADDPS V2, V8, V8 \
	VFMADD231PS V0, V2, V9

// The same, and dgain (R11) += dy·x̂, dbias (R12) += dy
#define STEP_GRADSUMSGAIN(L, S, M) \
	NORMED(L) \
	L(R11, V3) \
	L(R12, V4) \
	VADDPS V2, V8, V8 \
	VFMADD231PS V0, V2, V9 \
	VFMADD231PS V0, V1, V3 \
	VADDPS V1, V4, V4 \
	S(V3, R11) \
	S(V4, R12)

// NEXTROWS: R12 and AX, what follows x and dy, usually their next rows: while this row is computed they are
// fetched.
#define NEXTROWS \
	LEAQ (SI)(R9*1), R12 \
	LEAQ (DX)(R9*1), AX

// dx = rstd·(dy·gain - g - x̂·gx); dx in DI, the means g and gx in V10 and V11
#define STEP_NORMGRAD(L, S, M) \
	PREFETCHT0 (R12)(R8*1) \
	PREFETCHT0 (AX)(R8*1) \
	NORMED(L) \
	VSUBPS V10, V2, V2 \
	VFNMADD231PS V0, V11, V2 \
	VMULPS V7, V2, V2 \
	S(V2, DI)

// The same plus add (R11)
#define STEP_NORMGRADADD(L, S, M) \
	PREFETCHT0 (R12)(R8*1) \
	PREFETCHT0 (AX)(R8*1) \
	NORMED(L) \
	L(R11, V3) \
	VSUBPS V10, V2, V2 \
	VFNMADD231PS V0, V11, V2 \
	VFMADD213PS V3, V7, V2 \
	S(V2, DI)
