// The activations on V0 (x), in the words of exp_avx512_amd64.h and exp_avx2_amd64.h. The forward forms
// leave the result in V0, the slopes in V4. V1 to V6 are used.

// GELU: V0 = x/(1 + 2^a), a = -2·log2(e)·√(2/π)·(x + 0.044715x³). x is held above -14, where a already
// exceeds every exponent and the result is -0.
#define GELU \
	VMAXPS V0, KGeluMin, V0 \
	VMULPS V0, V0, V1 \
	VMOVUPS KGeluB, V2 \
	VFMADD213PS KGeluA, V2, V1 \
	VMULPS V0, V1, V1 \
	EXP2(V1, V2, V3) \
	VADDPS KOne, V3, V3 \
	VDIVPS V3, V0, V0

// GELUSLOPE: with e = 2^a as above, s = 1/(1+e) and w = d(2u)/dx: V4 = s·(1 + x·w·(e·s)), where e·s is
// 1-s without cancellation.
#define GELUSLOPE \
	VMINPS V0, KGeluBound, V0 \
	VMAXPS V0, KGeluNegBound, V0 \
	VMULPS V0, V0, V1 \
	VMOVUPS KGeluSlopeB, V4 \
	VFMADD213PS KGeluSlopeA, V1, V4 \
	VMOVUPS KGeluB, V2 \
	VFMADD213PS KGeluA, V2, V1 \
	VMULPS V0, V4, V4 \
	VMULPS V0, V1, V1 \
	EXP2(V1, V2, V3) \
	LOGISTICSLOPE

// QUICK: V0 = x/(1 + 2^a), a = -1.702·log2(e)·x, with x held above -64.
#define QUICK \
	VMAXPS V0, KQuickMin, V0 \
	VMULPS KQuickA, V0, V1 \
	EXP2(V1, V2, V3) \
	VADDPS KOne, V3, V3 \
	VDIVPS V3, V0, V0

#define QUICKSLOPE \
	VMINPS V0, KQuickBound, V0 \
	VMAXPS V0, KQuickNegBound, V0 \
	VMULPS KQuickA, V0, V1 \
	VMULPS KQuickSlope, V0, V4 \
	EXP2(V1, V2, V3) \
	LOGISTICSLOPE

// LOGISTICSLOPE: from e in V3 and v in V4, V4 = s·(1 + v·e·s), s = 1/(1+e).
#define LOGISTICSLOPE \
	VADDPS KOne, V3, V5 \
	VMOVUPS KOne, V6 \
	VDIVPS V5, V6, V5 \
	VMULPS V5, V3, V3 \
	VFMADD213PS KOne, V3, V4 \
	VMULPS V5, V4, V4

// NORMALTAIL: from x in V0, V1 = |x| held below 14.5, V3 = exp(-V1²/2) and V4 = Φ(-V1) =
// V3·u·R(u), u = 1/(1 + 0.3·V1). The rounding of V1² is made good by its remainder.
#define NORMALTAIL \
	VANDPS KAbs, V0, V1 \
	VMINPS V1, KErfBound, V1 \
	VMULPS V1, V1, V2 \
	VMOVAPS V2, V5 \
	VFMSUB231PS V1, V1, V5 \
	VMULPS KNegHalf, V2, V4 \
	VMULPS KNegHalf, V5, V5 \
	EXP(V4, V2, V3) \
	VFMADD231PS V5, V3, V3 \
	VMOVUPS KErfP, V2 \
	VFMADD213PS KOne, V1, V2 \
	VMOVUPS KOne, V6 \
	VDIVPS V2, V6, V6 \
	VMOVUPS KR9, V4 \
	VFMADD213PS KR8, V6, V4 \
	VFMADD213PS KR7, V6, V4 \
	VFMADD213PS KR6, V6, V4 \
	VFMADD213PS KR5, V6, V4 \
	VFMADD213PS KR4, V6, V4 \
	VFMADD213PS KR3, V6, V4 \
	VFMADD213PS KR2, V6, V4 \
	VFMADD213PS KR1, V6, V4 \
	VFMADD213PS KR0, V6, V4 \
	VMULPS V6, V4, V4 \
	VMULPS V3, V4, V4

// ERFGELU: V0 = max(x, 0) - |x|·Φ(-|x|), which is x·Φ(x) for either sign.
#define ERFGELU \
	NORMALTAIL \
	ZERO(V2) \
	VMAXPS V0, V2, V0 \
	VFNMADD231PS V4, V1, V0

// ERFSLOPE: V4 = Φ(x) + x·φ(x); Φ is [x ≥ 0] - sign(x)·Φ(-|x|).
#define ERFSLOPE \
	NORMALTAIL \
	VPSRAD $31, V0, V5 \
	VPSLLD $31, V5, V2 \
	VANDNPS KOne, V5, V5 \
	VORPS V2, V4, V4 \
	VSUBPS V4, V5, V4 \
	VORPS V2, V1, V1 \
	SPLAT(kInvSqrt2Pi, V6) \
	VMULPS V6, V3, V3 \
	VFMADD231PS V1, V3, V4

// TANHPARTS: V1 = e^(2|x|) - 1, with |x| held below 44. V2 and V3 are used.
#define TANHPARTS \
	VANDPS KAbs, V0, V1 \
	VMINPS V1, KTanhBound, V1 \
	VADDPS V1, V1, V1 \
	REDUCE(V1, V2) \
	SERIES(V1, V3) \
	VMULPS V1, V3, V3 \
	VFMADD213PS V1, V1, V3 \
	VMOVUPS KOne, V4 \
	POW2(V2, V4, V1) \
	VSUBPS KOne, V4, V1 \
	VFMADD231PS V3, V4, V1

// TANH: V0 = sign(x)·(e^(2|x|)-1)/(e^(2|x|)+1).
#define TANH \
	TANHPARTS \
	VADDPS KTwo, V1, V2 \
	VDIVPS V2, V1, V1 \
	VANDPS KSign, V0, V0 \
	VORPS V1, V0, V0

// TANHSLOPE: V4 = 1 - tanh² = q·(2-q), q = 2/(e^(2|x|)+1).
#define TANHSLOPE \
	TANHPARTS \
	VADDPS KTwo, V1, V2 \
	VMOVUPS KTwo, V4 \
	VDIVPS V2, V4, V2 \
	VSUBPS V2, V4, V4 \
	VMULPS V2, V4, V4

// RELU: V0 = max(x, 0).
#define RELU \
	ZERO(V1) \
	VMAXPS V0, V1, V0

#define STEP_GELU(L, S, M) \
	L(SI, V0) \
	GELU \
	S(V0, DI)

#define STEP_QUICK(L, S, M) \
	L(SI, V0) \
	QUICK \
	S(V0, DI)

#define STEP_ERFGELU(L, S, M) \
	L(SI, V0) \
	ERFGELU \
	S(V0, DI)

#define STEP_TANH(L, S, M) \
	L(SI, V0) \
	TANH \
	S(V0, DI)

#define STEP_RELU(L, S, M) \
	L(SI, V0) \
	RELU \
	S(V0, DI)

#define STEP_GELUSLOPE(L, S, M) \
	L(SI, V0) \
	GELUSLOPE \
	L(DX, V0) \
	VMULPS V4, V0, V0 \
	S(V0, DI)

#define STEP_QUICKSLOPE(L, S, M) \
	L(SI, V0) \
	QUICKSLOPE \
	L(DX, V0) \
	VMULPS V4, V0, V0 \
	S(V0, DI)

#define STEP_ERFSLOPE(L, S, M) \
	L(SI, V0) \
	ERFSLOPE \
	L(DX, V0) \
	VMULPS V4, V0, V0 \
	S(V0, DI)

#define STEP_TANHSLOPE(L, S, M) \
	L(SI, V0) \
	TANHSLOPE \
	L(DX, V0) \
	VMULPS V4, V0, V0 \
	S(V0, DI)

#define STEP_RELUSLOPE(L, S, M) \
	L(SI, V0) \
	L(DX, V1) \
	RELUSLOPE \
	S(V0, DI)

// The functions' bodies: FORWARD(STEP, U, V) with the constants U and V loads, BACKWARD with dy in DX.
#define FORWARD(STEP, U, V) \
	MOVQ dst+0(FP), DI \
	MOVQ x+8(FP), SI \
	MOVQ n+16(FP), CX \
	SPAN \
	U \
	V \
	EACH(loop, rest, done, STEP) \
	VZEROUPPER \
	RET

#define BACKWARD(STEP, U, V) \
	MOVQ dx+0(FP), DI \
	MOVQ dy+8(FP), DX \
	MOVQ x+16(FP), SI \
	MOVQ n+24(FP), CX \
	SPAN \
	U \
	V \
	EACH(loop, rest, done, STEP) \
	VZEROUPPER \
	RET
