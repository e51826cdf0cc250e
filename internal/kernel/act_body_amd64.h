// The activations, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h.

// GELU: x/(1 + 2^a), a = -2·log2(e)·√(2/π)·(x + 0.044715x³). At x = -12.5 and below, a is above every
// exponent and the result is -0; at 12.5 and above 2^a is nothing beside 1.
#define STEP_GELU(ON, LX, LN, SX, SP, MP) \
	ON(LX) \
	ON(GELU_MAX) \
	ON(GELU_MIN) \
	ON(GELU_SQUARE) \
	ON(GELU_A) \
	ON(GELU_TIMES) \
	EXP2ON(ON) \
	ON(LOGISTIC_PLUS) \
	ON(LX) \
	ON(GELU_MAX) \
	ON(LOGISTIC_DIV) \
	ON(SX)

#define GELU_MAX(x, n, p, s, at) VMAXPS x, KGeluMin, x
#define GELU_MIN(x, n, p, s, at) VMINPS x, KGeluMax, x
#define GELU_SQUARE(x, n, p, s, at) VMULPS x, x, p
#define GELU_A(x, n, p, s, at) VFMADD213PS KGeluA, KGeluB, p
#define GELU_TIMES(x, n, p, s, at) VMULPS p, x, x
#define LOGISTIC_PLUS(x, n, p, s, at) VADDPS KOne, p, p
#define LOGISTIC_DIV(x, n, p, s, at) VDIVPS p, x, x

// GELU's slope: with e = 2^a as above, s = 1/(1+e) and w = d(2u)/dx: s·(1 + x·w·(e·s)), where e·s is 1-s
// without cancellation. Times dy.
#define STEP_GELUSLOPE(ON, LX, LN, SX, SP, MP) \
	ON(FETCHX) \
	ON(FETCHN) \
	ON(LX) \
	ON(SLOPE_MIN) \
	ON(SLOPE_MAX) \
	ON(GELU_SQUARE) \
	ON(GELU_A) \
	ON(GELU_TIMES) \
	EXP2ON(ON) \
	LOGISTIC(ON) \
	ON(LX) \
	ON(SLOPE_MIN) \
	ON(SLOPE_MAX) \
	ON(SLOPE_XES) \
	ON(SLOPE_SQUARE) \
	ON(SLOPE_W) \
	ON(SLOPE_PLUS) \
	ON(SLOPE_S) \
	ON(LN) \
	ON(SLOPE_S) \
	ON(SX)

#define FETCHX(x, n, p, s, at) PREFETCHT0 at(R12)(R8*1)
#define FETCHN(x, n, p, s, at) PREFETCHT0 at(R14)(R8*1)
#define SLOPE_MIN(x, n, p, s, at) VMINPS x, KGeluBound, x
#define SLOPE_MAX(x, n, p, s, at) VMAXPS x, KGeluNegBound, x
#define SLOPE_XES(x, n, p, s, at) VMULPS x, p, p
#define SLOPE_SQUARE(x, n, p, s, at) VMULPS x, x, x
#define SLOPE_W(x, n, p, s, at) VFMADD213PS KGeluSlopeA, KGeluSlopeB, x
#define SLOPE_PLUS(x, n, p, s, at) VFMADD213PS KOne, p, x
#define SLOPE_S(x, n, p, s, at) VMULPS n, x, x

// LOGISTIC: from e in p, s = 1/(1+e) in n and e·s in p; x is lost.
#define LOGISTIC(ON) \
	ON(LOGISTIC_N) \
	ON(LOGISTIC_ONE) \
	ON(LOGISTIC_S) \
	ON(LOGISTIC_ES)

#define LOGISTIC_N(x, n, p, s, at) VADDPS KOne, p, n
#define LOGISTIC_ONE(x, n, p, s, at) VMOVUPS KOne, x
#define LOGISTIC_S(x, n, p, s, at) VDIVPS n, x, n
#define LOGISTIC_ES(x, n, p, s, at) VMULPS n, p, p

// QuickGELU: x/(1 + 2^a), a = -1.702·log2(e)·x, with x held above -64 and a above -151.
#define STEP_QUICK(ON, LX, LN, SX, SP, MP) \
	ON(LX) \
	ON(QUICK_MAX) \
	ON(QUICK_A) \
	ON(QUICK_MIN) \
	EXP2ON(ON) \
	ON(LOGISTIC_PLUS) \
	ON(LX) \
	ON(QUICK_MAX) \
	ON(LOGISTIC_DIV) \
	ON(SX)

#define QUICK_MAX(x, n, p, s, at) VMAXPS x, KQuickMin, x
#define QUICK_A(x, n, p, s, at) VMULPS KQuickA, x, x
#define QUICK_MIN(x, n, p, s, at) VMAXPS x, KExp2Min, x

// Its slope, times dy: s·(1 + 1.702x·(e·s)).
#define STEP_QUICKSLOPE(ON, LX, LN, SX, SP, MP) \
	ON(FETCHX) \
	ON(FETCHN) \
	ON(LX) \
	ON(QUICKSLOPE_MIN) \
	ON(QUICKSLOPE_MAX) \
	ON(QUICK_A) \
	EXP2ON(ON) \
	LOGISTIC(ON) \
	ON(LX) \
	ON(QUICKSLOPE_MIN) \
	ON(QUICKSLOPE_MAX) \
	ON(QUICKSLOPE_V) \
	ON(SLOPE_PLUS) \
	ON(SLOPE_S) \
	ON(LN) \
	ON(SLOPE_S) \
	ON(SX)

#define QUICKSLOPE_MIN(x, n, p, s, at) VMINPS x, KQuickBound, x
#define QUICKSLOPE_MAX(x, n, p, s, at) VMAXPS x, KQuickNegBound, x
#define QUICKSLOPE_V(x, n, p, s, at) VMULPS KQuickSlope, x, x

// The activations from here on are on V0 (x). The forward forms leave the result in V0, the slopes in V4.
// V1 to V6 are used.

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

// The functions' bodies: FORWARD(STEP, U, V) with the constants U and V loads, BACKWARD with dy in DX; FORWARDON
// and BACKWARDON for steps of a group. BACKWARDON has R12 and R14 ahead of x and dy, from where its steps fetch: so many
// instructions to an element that the processor does not see far enough ahead of three streams.
#define FORWARDON(STEP, U, V) \
	MOVQ dst+0(FP), DI \
	MOVQ x+8(FP), SI \
	MOVQ n+16(FP), CX \
	SPAN \
	U \
	V \
	GROUPS(groups, ones, loop, rest, done, STEP) \
	VZEROUPPER \
	RET

#define BACKWARDON(STEP, U, V) \
	MOVQ dx+0(FP), DI \
	MOVQ dy+8(FP), DX \
	MOVQ x+16(FP), SI \
	MOVQ n+24(FP), CX \
	MOVQ ahead+32(FP), R14 \
	LEAQ (SI)(R14*1), R12 \
	ADDQ DX, R14 \
	SPAN \
	U \
	V \
	GROUPS(groups, ones, loop, rest, done, STEP) \
	VZEROUPPER \
	RET

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
