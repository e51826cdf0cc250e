// The vocabulary of the vector kernels in AVX-512. exp_avx2_amd64.h says the same in AVX2, and the
// kernels' bodies (exp_body_amd64.h and others) are written in these words once for both.

#include "exp_const_amd64.h"

// Working registers. Z16 and up hold constants.
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define V8 Z8
#define V9 Z9
#define V10 Z10
#define V11 Z11

#define WIDTH 64 // bytes of a vector

// Where arithmetic waits for itself, as in a polynomial, one vector's twenty instructions are a longer chain than
// the processor looks ahead. Such kernels take the vectors of a GROUP in step: each step is a macro of one
// instruction on a vector's registers x, n and p, a running sum s and the vector's place in the group, and ON(S)
// does it for one vector (ON is ONE) or for each of the group's (GROUP). Z18 and Z19 hold sums.
#define ONE(S) S(Z0, Z6, Z12, Z18, 0)
#define GROUP(S) \
	S(Z0, Z6, Z12, Z18, 0) \
	S(Z1, Z7, Z13, Z19, 64) \
	S(Z2, Z8, Z14, Z18, 128) \
	S(Z3, Z9, Z15, Z19, 192) \
	S(Z4, Z10, Z16, Z18, 256) \
	S(Z5, Z11, Z17, Z19, 320)
#define GROUPWIDTH 384
#define VS0 Z18
#define VS1 Z19
#define VM Z20 // what kernels of exp subtract

// SPAN prepares for n (in CX) elements: R9 their bytes, R10 the bytes in whole vectors, K1 the lanes of
// the rest. AX is used.
#define SPAN \
	MOVQ  CX, R9 \
	SHLQ  $2, R9 \
	MOVQ  R9, R10 \
	ANDQ  $~63, R10 \
	ANDQ  $15, CX \
	MOVL  $1, AX \
	SHLL  CX, AX \
	DECL  AX \
	KMOVW AX, K1

// Loads and stores at byte R8 of p, of a whole vector (F) and of the rest (T). LT gives zeros outside
// the mask, LTN -Inf; MT clears what is outside. REGF and REGT load what an instruction without a mask
// would take from memory.
#define LF(p, v) VMOVUPS (p)(R8*1), v
#define LT(p, v) VMOVUPS.Z (p)(R8*1), K1, v
#define LTN(p, v) \
	VBROADCASTSS kNegInf, v \
	VMOVUPS (p)(R8*1), K1, v
#define SF(v, p) VMOVUPS v, (p)(R8*1)
#define ST(v, p) VMOVUPS v, K1, (p)(R8*1)
#define MF(v) NOP
#define MT(v) VMOVAPS.Z v, K1, v

// The same as steps of a group: x from SI, n from DX; x and p to DI; what is outside the mask cleared in p.
#define LOADX(x, n, p, s, at) VMOVUPS at(SI)(R8*1), x
#define LOADX_T(x, n, p, s, at) LT(SI, x)
#define LOADN(x, n, p, s, at) VMOVUPS at(DX)(R8*1), n
#define LOADN_T(x, n, p, s, at) LT(DX, n)
#define STOREX(x, n, p, s, at) VMOVUPS x, at(DI)(R8*1)
#define STOREX_T(x, n, p, s, at) ST(x, DI)
#define STOREP(x, n, p, s, at) VMOVUPS p, at(DI)(R8*1)
#define STOREP_T(x, n, p, s, at) ST(p, DI)
#define MASKP(x, n, p, s, at) NOP
#define MASKP_T(x, n, p, s, at) MT(p)

// EACH runs STEP(L, S, M) for R8 = 0, WIDTH, … < R10 with the whole-vector forms of load, store and
// mask, then once with the others for what is left.
#define EACH(loop, rest, done, STEP) \
	XORQ R8, R8 \
	CMPQ R8, R10 \
	JGE  rest \
loop: \
	STEP(LF, SF, MF) \
	ADDQ $WIDTH, R8 \
	CMPQ R8, R10 \
	JLT  loop \
rest: \
	CMPQ R8, R9 \
	JGE  done \
	STEP(LT, ST, MT) \
done:

// EACH2 is EACH with the two steps written out; EACHON goes on from R8. QUADS runs STEP for four vectors at
// a time as far as they go, for sums in several registers.
#define EACH2(loop, rest, done, STEP, REST) \
	XORQ R8, R8 \
	CMPQ R8, R10 \
	JGE  rest \
loop: \
	STEP \
	ADDQ $WIDTH, R8 \
	CMPQ R8, R10 \
	JLT  loop \
rest: \
	CMPQ R8, R9 \
	JGE  done \
	REST \
done:

#define EACHON(loop, rest, done, STEP) \
	CMPQ R8, R10 \
	JGE  rest \
loop: \
	STEP(LF, SF, MF) \
	ADDQ $WIDTH, R8 \
	CMPQ R8, R10 \
	JLT  loop \
rest: \
	CMPQ R8, R9 \
	JGE  done \
	STEP(LT, ST, MT) \
done:

#define QUADS(loop, done, STEP) \
	XORQ R8, R8 \
	MOVQ R9, R13 \
	ANDQ $~(4*WIDTH-1), R13 \
	CMPQ R8, R13 \
	JGE  done \
loop: \
	STEP \
	ADDQ $(4*WIDTH), R8 \
	CMPQ R8, R13 \
	JLT  loop \
done:

// GROUPS runs STEP(ON, LX, LN, SX, SP, MP) for whole groups, then for single vectors, then for the rest.
#define GROUPS(groups, ones, loop, rest, done, STEP) \
	XORQ R8, R8 \
	LEAQ (-GROUPWIDTH)(R9), R13 \
	CMPQ R8, R13 \
	JGT  ones \
groups: \
	STEP(GROUP, LOADX, LOADN, STOREX, STOREP, MASKP) \
	ADDQ $GROUPWIDTH, R8 \
	CMPQ R8, R13 \
	JLE  groups \
ones: \
	CMPQ R8, R10 \
	JGE  rest \
loop: \
	STEP(ONE, LOADX, LOADN, STOREX, STOREP, MASKP) \
	ADDQ $WIDTH, R8 \
	CMPQ R8, R10 \
	JLT  loop \
rest: \
	CMPQ R8, R9 \
	JGE  done \
	STEP(ONE, LOADX_T, LOADN_T, STOREX_T, STOREP_T, MASKP_T) \
done:

#define ZERO(v) VXORPS v, v, v
#define SPLAT(k, v) VBROADCASTSS k, v

// SUM adds the lanes of Z0 into X0, MAX takes their greatest; Y1 is used. SUM2 is SUM of Z2 with Y3.
#define SUM SUMOF(Z0, Y0, X0, Y1, X1)
#define SUM2 SUMOF(Z2, Y2, X2, Y3, X3)
#define SUMOF(z, y, x, ty, tx) \
	VEXTRACTF32X8 $1, z, ty \
	VADDPS ty, y, y \
	VEXTRACTF128 $1, y, tx \
	VADDPS tx, x, x \
	VPERMILPD $1, x, tx \
	VADDPS tx, x, x \
	VMOVSHDUP x, tx \
	VADDSS tx, x, x

#define MAX(OP) \
	VEXTRACTF32X8 $1, Z0, Y1 \
	OP Y1, Y0, Y0 \
	VEXTRACTF128 $1, Y0, X1 \
	OP X1, X0, X0 \
	VPERMILPD $1, X0, X1 \
	OP X1, X0, X0 \
	VMOVSHDUP X0, X1 \
	OP X1, X0, X0

// Constants of EXP and EXP2, and others that the bodies name.
#define KOne Z31
#define KMax Z30
#define KMin Z29
#define KLog2E Z28
#define KLn2Hi Z27
#define KLn2Lo Z26
#define KE4 Z25
#define KE3 Z24
#define KE2 Z23
#define KE1 Z22
#define KE0 Z21
#define KP6 Z28
#define KP5 Z27
#define KP4 Z26
#define KP3 Z25
#define KP2 Z24
#define KP1 Z23

#define USE_REDUCE \
	SPLAT(kOne, KOne) \
	SPLAT(kLog2E, KLog2E) \
	SPLAT(kLn2Hi, KLn2Hi) \
	SPLAT(kLn2Lo, KLn2Lo) \
	SPLAT(kE4, KE4) \
	SPLAT(kE3, KE3) \
	SPLAT(kE2, KE2) \
	SPLAT(kE1, KE1) \
	SPLAT(kE0, KE0)

#define USE_EXP \
	USE_REDUCE \
	SPLAT(kExpMax, KMax) \
	SPLAT(kExpMin, KMin)

#define USE_EXP2 \
	SPLAT(kOne, KOne) \
	SPLAT(kP6, KP6) \
	SPLAT(kP5, KP5) \
	SPLAT(kP4, KP4) \
	SPLAT(kP3, KP3) \
	SPLAT(kP2, KP2) \
	SPLAT(kP1, KP1)

// ROUND: n = x to the nearest whole number.
#define ROUND(x, n) VRNDSCALEPS $8, x, n

// POW2: p = p·2ⁿ for a whole n, with overflow to infinity and gradual underflow. t is lost.
#define POW2(n, p, t) VSCALEFPS n, p, p

// SUMD adds the float64 lanes of Z0 into X0; Y1 is used. WIDENF and WIDENT load at byte R8 of p and widen into
// V0 and V1.
#define SUMD \
	VEXTRACTF64X4 $1, Z0, Y1 \
	VADDPD Y1, Y0, Y0 \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPD X1, X0, X0 \
	VPERMILPD $1, X0, X1 \
	VADDSD X1, X0, X0

#define WIDENF(p) \
	VCVTPS2PD (p)(R8*1), Z0 \
	VCVTPS2PD 32(p)(R8*1), Z1

#define WIDENT(p) \
	LT(p, Z2) \
	VCVTPS2PD Y2, Z0 \
	VEXTRACTF64X4 $1, Z2, Y3 \
	VCVTPS2PD Y3, Z1
