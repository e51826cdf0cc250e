//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "exp_body_amd64.h"
#include "act_body_amd64.h"

// The constants of the activations, and what loads them.
#define KGeluMin Z30
#define KGeluMax Z29
#define KGeluA Z22
#define KGeluB Z21
#define KGeluSlopeA Z20
#define KGeluSlopeB Z19
#define KGeluBound Z30
#define KGeluNegBound Z29
#define KQuickMin Z30
#define KExp2Min Z29
#define KQuickA Z22
#define KQuickSlope Z21
#define KQuickBound Z30
#define KQuickNegBound Z29
#define KAbs Z20
#define KNegHalf Z19
#define KErfBound Z18
#define KErfP Z17
#define KR0 Z16
#define KR1 Z15
#define KR2 Z14
#define KR3 Z13
#define KR4 Z12
#define KR5 Z11
#define KR6 Z10
#define KR7 Z9
#define KR8 Z8
#define KR9 Z7
#define KSign Z19
#define KTwo Z18
#define KTanhBound Z17

#define USE_GELU \
	SPLAT(kGeluMin, KGeluMin) \
	SPLAT(kGeluMax, KGeluMax) \
	SPLAT(kGeluA, KGeluA) \
	SPLAT(kGeluB, KGeluB)

#define USE_GELUSLOPE \
	SPLAT(kGeluA, KGeluA) \
	SPLAT(kGeluB, KGeluB) \
	SPLAT(kGeluSlopeA, KGeluSlopeA) \
	SPLAT(kGeluSlopeB, KGeluSlopeB) \
	SPLAT(kGeluBound, KGeluBound) \
	SPLAT(kGeluNegBound, KGeluNegBound)

#define USE_QUICK \
	SPLAT(kQuickMin, KQuickMin) \
	SPLAT(kExp2Min, KExp2Min) \
	SPLAT(kQuickA, KQuickA)

#define USE_QUICKSLOPE \
	SPLAT(kQuickA, KQuickA) \
	SPLAT(kQuickSlope, KQuickSlope) \
	SPLAT(kQuickBound, KQuickBound) \
	SPLAT(kQuickNegBound, KQuickNegBound)

#define USE_ERF \
	SPLAT(kAbs, KAbs) \
	SPLAT(kNegHalf, KNegHalf) \
	SPLAT(kErfBound, KErfBound) \
	SPLAT(kErfP, KErfP) \
	SPLAT(kR0, KR0) \
	SPLAT(kR1, KR1) \
	SPLAT(kR2, KR2) \
	SPLAT(kR3, KR3) \
	SPLAT(kR4, KR4) \
	SPLAT(kR5, KR5) \
	SPLAT(kR6, KR6) \
	SPLAT(kR7, KR7) \
	SPLAT(kR8, KR8) \
	SPLAT(kR9, KR9)

#define USE_TANH \
	SPLAT(kAbs, KAbs) \
	SPLAT(kSign, KSign) \
	SPLAT(kTwo, KTwo) \
	SPLAT(kTanhBound, KTanhBound)

// RELUSLOPE: V0 = V1 where not V0 <= 0, else 0.
#define RELUSLOPE \
	ZERO(V2) \
	VCMPPS $0x16, V2, V0, K2 \
	VMOVAPS.Z V1, K2, V0

// func geluAVX512(dst, x *float32, n int)
TEXT ·geluAVX512(SB), NOSPLIT, $0-24
	FORWARDON(STEP_GELU, USE_EXP2, USE_GELU)

// func quickAVX512(dst, x *float32, n int)
TEXT ·quickAVX512(SB), NOSPLIT, $0-24
	FORWARDON(STEP_QUICK, USE_EXP2, USE_QUICK)

// func erfGELUAVX512(dst, x *float32, n int)
TEXT ·erfGELUAVX512(SB), NOSPLIT, $0-24
	FORWARD(STEP_ERFGELU, USE_EXP, USE_ERF)

// func reluAVX512(dst, x *float32, n int)
TEXT ·reluAVX512(SB), NOSPLIT, $0-24
	FORWARD(STEP_RELU, NOP, NOP)

// func tanhAVX512(dst, x *float32, n int)
TEXT ·tanhAVX512(SB), NOSPLIT, $0-24
	FORWARD(STEP_TANH, USE_REDUCE, USE_TANH)

// func geluGradAVX512(dx, dy, x *float32, n, ahead int)
TEXT ·geluGradAVX512(SB), NOSPLIT, $0-40
	BACKWARDON(STEP_GELUSLOPE, USE_EXP2, USE_GELUSLOPE)

// func quickGradAVX512(dx, dy, x *float32, n, ahead int)
TEXT ·quickGradAVX512(SB), NOSPLIT, $0-40
	BACKWARDON(STEP_QUICKSLOPE, USE_EXP2, USE_QUICKSLOPE)

// func erfGELUGradAVX512(dx, dy, x *float32, n int)
TEXT ·erfGELUGradAVX512(SB), NOSPLIT, $0-32
	BACKWARD(STEP_ERFSLOPE, USE_EXP, USE_ERF)

// func reluGradAVX512(dx, dy, x *float32, n int)
TEXT ·reluGradAVX512(SB), NOSPLIT, $0-32
	BACKWARD(STEP_RELUSLOPE, NOP, NOP)

// func tanhGradAVX512(dx, dy, x *float32, n int)
TEXT ·tanhGradAVX512(SB), NOSPLIT, $0-32
	BACKWARD(STEP_TANHSLOPE, USE_REDUCE, USE_TANH)
