// The vocabulary of the vector kernels in AVX2; exp_avx512_amd64.h explains the words.

#include "exp_const_amd64.h"

// Working registers. Y12 to Y14 hold constants and Y15 the mask of the rest; other constants are taken from memory.
#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
#define V5 Y5
#define V6 Y6
#define V7 Y7
#define V8 Y8
#define V9 Y9
#define V10 Y10
#define V11 Y11

#define WIDTH 32

#define ONE(S) S(Y0, Y3, Y6, Y9, 0)
#define GROUP(S) \
	S(Y0, Y3, Y6, Y9, 0) \
	S(Y1, Y4, Y7, Y10, 32) \
	S(Y2, Y5, Y8, Y9, 64)
#define GROUPWIDTH 96
#define VS0 Y9
#define VS1 Y10
#define VM Y11

#define SPAN \
	MOVQ CX, R9 \
	SHLQ $2, R9 \
	MOVQ R9, R10 \
	ANDQ $~31, R10 \
	ANDQ $7, CX \
	SHLQ $2, CX \
	LEAQ ·vecMask+32(SB), AX \
	SUBQ CX, AX \
	VMOVUPS (AX), Y15

#define LF(p, v) VMOVUPS (p)(R8*1), v
#define LT(p, v) VMASKMOVPS (p)(R8*1), Y15, v
#define LTN(p, v) \
	VMASKMOVPS (p)(R8*1), Y15, v \
	VMOVUPS kNegInf, Y12 \
	VBLENDVPS Y15, v, Y12, v
#define SF(v, p) VMOVUPS v, (p)(R8*1)
#define ST(v, p) VMASKMOVPS v, Y15, (p)(R8*1)
#define MF(v) NOP
#define MT(v) VANDPS Y15, v, v

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

#define SUM SUMOF(Y0, X0, X1)
#define SUM2 SUMOF(Y2, X2, X3)
#define SUMOF(y, x, tx) \
	VEXTRACTF128 $1, y, tx \
	VADDPS tx, x, x \
	VPERMILPD $1, x, tx \
	VADDPS tx, x, x \
	VMOVSHDUP x, tx \
	VADDSS tx, x, x

#define MAX(OP) \
	VEXTRACTF128 $1, Y0, X1 \
	OP X1, X0, X0 \
	VPERMILPD $1, X0, X1 \
	OP X1, X0, X0 \
	VMOVSHDUP X0, X1 \
	OP X1, X0, X0

#define KOne kOne
#define KMax Y14
#define KMin Y13
#define KLog2E kLog2E
#define KLn2Hi kLn2Hi
#define KLn2Lo kLn2Lo
#define KE4 kE4
#define KE3 kE3
#define KE2 kE2
#define KE1 kE1
#define KE0 kE0
#define KP6 kP6
#define KP5 kP5
#define KP4 kP4
#define KP3 kP3
#define KP2 kP2
#define KP1 kP1

#define USE_REDUCE NOP

#define USE_EXP \
	VMOVUPS kExpMax, KMax \
	VMOVUPS kExpMin, KMin

#define USE_EXP2 NOP

#define ROUND(x, n) VROUNDPS $8, x, n

// POW2 multiplies by 2^(n>>1) and 2^(n-(n>>1)), both normal numbers for |n| <= 252.
#define POW2(n, p, t) \
	VCVTPS2DQ n, n \
	VPSRAD $1, n, t \
	VPSUBD t, n, n \
	VPSLLD $23, t, t \
	VPSLLD $23, n, n \
	VPADDD kOne, t, t \
	VPADDD kOne, n, n \
	VMULPS t, p, p \
	VMULPS n, p, p

// SUMD adds the float64 lanes of Y0 into X0; Y1 is used. WIDENF and WIDENT load at byte R8 of p and widen into
// V0 and V1.
#define SUMD \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPD X1, X0, X0 \
	VPERMILPD $1, X0, X1 \
	VADDSD X1, X0, X0

#define WIDENF(p) \
	VCVTPS2PD (p)(R8*1), Y0 \
	VCVTPS2PD 16(p)(R8*1), Y1

#define WIDENT(p) \
	LT(p, Y2) \
	VCVTPS2PD X2, Y0 \
	VEXTRACTF128 $1, Y2, X3 \
	VCVTPS2PD X3, Y1
