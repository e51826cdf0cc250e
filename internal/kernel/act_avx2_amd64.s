//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx2_amd64.h"
#include "exp_body_amd64.h"
#include "act_body_amd64.h"

// The constants of the activations, and what loads them.
#define KGeluMin Y14
#define KGeluMax Y13
#define KGeluA kGeluA
#define KGeluB Y12
#define KGeluSlopeA kGeluSlopeA
#define KGeluSlopeB Y11
#define KGeluBound Y14
#define KGeluNegBound Y13
#define KQuickMin Y14
#define KExp2Min Y13
#define KQuickA kQuickA
#define KQuickSlope kQuickSlope
#define KQuickBound Y14
#define KQuickNegBound Y13
#define KAbs kAbs
#define KNegHalf kNegHalf
#define KErfBound Y12
#define KErfP kErfP
#define KR0 kR0
#define KR1 kR1
#define KR2 kR2
#define KR3 kR3
#define KR4 kR4
#define KR5 kR5
#define KR6 kR6
#define KR7 kR7
#define KR8 kR8
#define KR9 kR9
#define KSign kSign
#define KTwo kTwo
#define KTanhBound Y12

#define USE_GELU \
	SPLAT(kGeluMin, KGeluMin) \
	SPLAT(kGeluMax, KGeluMax) \
	SPLAT(kGeluB, KGeluB)

#define USE_GELUSLOPE \
	SPLAT(kGeluBound, KGeluBound) \
	SPLAT(kGeluNegBound, KGeluNegBound) \
	SPLAT(kGeluB, KGeluB) \
	SPLAT(kGeluSlopeB, KGeluSlopeB)

#define USE_QUICK \
	SPLAT(kQuickMin, KQuickMin) \
	SPLAT(kExp2Min, KExp2Min)

#define USE_QUICKSLOPE \
	SPLAT(kQuickBound, KQuickBound) \
	SPLAT(kQuickNegBound, KQuickNegBound)

#define USE_ERF \
	SPLAT(kErfBound, KErfBound)

#define USE_TANH \
	SPLAT(kTanhBound, KTanhBound)

// RELUSLOPE: V0 = V1 where not V0 <= 0, else 0.
#define RELUSLOPE \
	ZERO(V2) \
	VCMPPS $0x16, V2, V0, V0 \
	VANDPS V1, V0, V0

// func geluAVX2(dst, x *float32, n int)
TEXT ·geluAVX2(SB), NOSPLIT, $0-24
	FORWARDON(STEP_GELU, USE_EXP2, USE_GELU)

// func quickAVX2(dst, x *float32, n int)
TEXT ·quickAVX2(SB), NOSPLIT, $0-24
	FORWARDON(STEP_QUICK, USE_EXP2, USE_QUICK)

// func erfGELUAVX2(dst, x *float32, n int)
TEXT ·erfGELUAVX2(SB), NOSPLIT, $0-24
	FORWARD(STEP_ERFGELU, USE_EXP, USE_ERF)

// func reluAVX2(dst, x *float32, n int)
TEXT ·reluAVX2(SB), NOSPLIT, $0-24
	FORWARD(STEP_RELU, NOP, NOP)

// func tanhAVX2(dst, x *float32, n int)
TEXT ·tanhAVX2(SB), NOSPLIT, $0-24
	FORWARD(STEP_TANH, USE_REDUCE, USE_TANH)

// func geluGradAVX2(dx, dy, x *float32, n, ahead int)
TEXT ·geluGradAVX2(SB), NOSPLIT, $0-40
	BACKWARDON(STEP_GELUSLOPE, USE_EXP2, USE_GELUSLOPE)

// func quickGradAVX2(dx, dy, x *float32, n, ahead int)
TEXT ·quickGradAVX2(SB), NOSPLIT, $0-40
	BACKWARDON(STEP_QUICKSLOPE, USE_EXP2, USE_QUICKSLOPE)

// func erfGELUGradAVX2(dx, dy, x *float32, n int)
TEXT ·erfGELUGradAVX2(SB), NOSPLIT, $0-32
	BACKWARD(STEP_ERFSLOPE, USE_EXP, USE_ERF)

// func reluGradAVX2(dx, dy, x *float32, n int)
TEXT ·reluGradAVX2(SB), NOSPLIT, $0-32
	BACKWARD(STEP_RELUSLOPE, NOP, NOP)

// func tanhGradAVX2(dx, dy, x *float32, n int)
TEXT ·tanhGradAVX2(SB), NOSPLIT, $0-32
	BACKWARD(STEP_TANHSLOPE, USE_REDUCE, USE_TANH)
