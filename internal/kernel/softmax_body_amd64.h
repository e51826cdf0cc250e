// Steps of softmax and cross-entropy, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h; x in SI, y in DI.

// The greatest of x in V8 to V11, NaNs passed over: VMAXPS returns its first operand here if x is a NaN.
#define QUAD_MAX \
	VMOVUPS (SI)(R8*1), V0 \
	VMOVUPS (1*WIDTH)(SI)(R8*1), V1 \
	VMOVUPS (2*WIDTH)(SI)(R8*1), V2 \
	VMOVUPS (3*WIDTH)(SI)(R8*1), V3 \
	VMAXPS V8, V0, V8 \
	VMAXPS V9, V1, V9 \
	VMAXPS V10, V2, V10 \
	VMAXPS V11, V3, V11

#define STEP_MAX(L, S, M) \
	L(SI, V0) \
	VMAXPS V8, V0, V8

// y = exp(x - m) with m in V7, its sum in V8. What follows x (R12), usually the next row, is fetched meanwhile.
#define STEP_EXPSUM(L, S, M) \
	PREFETCHT0 (R12)(R8*1) \
	L(SI, V0) \
	VSUBPS V7, V0, V0 \
	EXP(V0, V1, V2) \
	S(V2, DI) \
	M(V2) \
	VADDPS V2, V8, V8

// The sum alone.
#define STEP_SUMEXP(L, S, M) \
	L(SI, V0) \
	VSUBPS V7, V0, V0 \
	EXP(V0, V1, V2) \
	M(V2) \
	VADDPS V2, V8, V8

// y = exp(x - m)·s with m in V7, s in V8.
#define STEP_EXPSCALE(L, S, M) \
	L(SI, V0) \
	VSUBPS V7, V0, V0 \
	EXP(V0, V1, V2) \
	VMULPS V8, V2, V2 \
	S(V2, DI)
