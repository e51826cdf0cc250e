// Steps of attention, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h.

// COUNT: CX = how many columns the row in hand sees, R12 of R15.
#define COUNT \
	MOVQ    R12, CX \
	CMPQ    CX, R15 \
	CMOVQGT R15, CX \
	XORQ    AX, AX \
	TESTQ   CX, CX \
	CMOVQLT AX, CX

// CLEARING clears what lies behind the columns a row sees, up to R15 of them in whole vectors.
#define CLEARING(test, loop, STEP) \
	LEAQ (R15*4), R13 \
	LEAQ (WIDTH-1)(R9), R8 \
	ANDQ $~(WIDTH-1), R8 \
	JMP  test \
loop: \
	STEP \
	ADDQ $WIDTH, R8 \
test: \
	CMPQ R8, R13 \
	JLT  loop

#define CLEAR1 VMOVUPS V9, (SI)(R8*1)
#define CLEAR2 \
	VMOVUPS V9, (SI)(R8*1) \
	VMOVUPS V9, (DI)(R8*1)

#define STEP_MAX(L, S, M) \
	L(SI, V0) \
	VMAXPS V8, V0, V8

// x = exp(x - m) with m in V7, its sum in V8.
#define STEP_EXP(L, S, M) \
	L(SI, V0) \
	VSUBPS V7, V0, V0 \
	EXP(V0, V1, V2) \
	M(V2) \
	SF(V2, SI) \
	VADDPS V2, V8, V8

// s = exp(s - lse), d = s·(d - dot) with lse in V7, dot in V8.
#define STEP_SCOREGRAD(L, S, M) \
	L(SI, V0) \
	L(DI, V3) \
	VSUBPS V7, V0, V0 \
	VSUBPS V8, V3, V3 \
	EXP(V0, V1, V2) \
	M(V2) \
	VMULPS V2, V3, V3 \
	M(V3) \
	SF(V2, SI) \
	SF(V3, DI)

#define STEP_SUM(L, S, M) \
	L(DI, V0) \
	VADDPS V0, V8, V8

// d -= s·sum with sum in V8.
#define STEP_CENTER(L, S, M) \
	L(SI, V0) \
	L(DI, V1) \
	VFNMADD231PS V0, V8, V1 \
	S(V1, DI)

#define STEP_DOT(L, S, M) \
	L(SI, V0) \
	L(DI, V1) \
	VFMADD231PS V0, V1, V8

// Heads lie side by side and are done in turn: the next one's part of the row in hand, at AX and R13, is
// fetched ahead.
#define STEP_SCALED(L, S, M) \
	PREFETCHT0 (AX)(R8*1) \
	PREFETCHT0 (R13)(R8*1) \
	L(SI, V0) \
	VMULPS V7, V0, V0 \
	S(V0, DI)

#define STEP_COPY(L, S, M) \
	PREFETCHT0 (AX)(R8*1) \
	PREFETCHT0 (R13)(R8*1) \
	L(SI, V0) \
	S(V0, DI)

#define NEXTROW \
	ADDQ R11, DI \
	ADDQ R11, R13 \
	ADDQ R12, SI \
	ADDQ R12, AX
