// Steps of softmax and cross-entropy, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h; x in SI, y in DI.

// The greatest of x in V4 to V7, NaNs passed over: VMAXPS returns its first operand here if x is a NaN.
#define QUAD_MAX \
	VMOVUPS (SI)(R8*1), V0 \
	VMOVUPS (1*WIDTH)(SI)(R8*1), V1 \
	VMOVUPS (2*WIDTH)(SI)(R8*1), V2 \
	VMOVUPS (3*WIDTH)(SI)(R8*1), V3 \
	VMAXPS V4, V0, V4 \
	VMAXPS V5, V1, V5 \
	VMAXPS V6, V2, V6 \
	VMAXPS V7, V3, V7

#define STEP_MAX(L, S, M) \
	L(SI, V0) \
	VMAXPS V4, V0, V4

// ROWMAX: the greatest of x in every lane of VM.
#define ROWMAX(quads, ones, loop, rest, done) \
	SPLAT(kNegInf, V4) \
	VMOVAPS V4, V5 \
	VMOVAPS V4, V6 \
	VMOVAPS V4, V7 \
	QUADS(quads, ones, QUAD_MAX) \
	CMPQ R8, R10 \
	JGE  rest \
loop: \
	STEP_MAX(LF, SF, MF) \
	ADDQ $WIDTH, R8 \
	CMPQ R8, R10 \
	JLT  loop \
rest: \
	CMPQ R8, R9 \
	JGE  done \
	STEP_MAX(LTN, ST, MT) \
done: \
	VMAXPS V4, V5, V4 \
	VMAXPS V6, V7, V6 \
	VMAXPS V4, V6, V0 \
	MAX(VMAXPS) \
	VBROADCASTSS X0, VM

// ZEROSUM and FOLDSUM: VS0 and VS1 cleared, and added into X0.
#define ZEROSUM \
	ZERO(VS0) \
	ZERO(VS1)

#define FOLDSUM \
	VADDPS VS1, VS0, V0 \
	SUM

// y = exp(x - m) with m in VM, its sum in VS0 and VS1. What lies in R12, usually the next row, is fetched meanwhile.
#define STEP_EXPSUM(ON, LX, LN, SX, SP, MP) \
	ON(FETCH) \
	ON(LX) \
	ON(LESSM) \
	EXPON(ON) \
	ON(SP) \
	ON(MP) \
	ON(ADDP)

#define FETCH(x, n, p, s, at) PREFETCHT0 at(R12)(R8*1)
#define LESSM(x, n, p, s, at) VSUBPS VM, x, x
#define ADDP(x, n, p, s, at) VADDPS p, s, s

// The sum alone.
#define STEP_SUMEXP(ON, LX, LN, SX, SP, MP) \
	ON(FETCH) \
	ON(LX) \
	ON(LESSM) \
	EXPON(ON) \
	ON(MP) \
	ON(ADDP)

// y = exp(x - m)·s with m in VM, s in VS0.
#define STEP_EXPSCALE(ON, LX, LN, SX, SP, MP) \
	ON(LX) \
	ON(LESSM) \
	EXPON(ON) \
	ON(TIMESS) \
	ON(SP)

#define TIMESS(x, n, p, s, at) VMULPS VS0, p, p

// y = y·s with s in VS0.
#define QUAD_SCALE \
	VMULPS (DI)(R8*1), VS0, V0 \
	VMULPS (1*WIDTH)(DI)(R8*1), VS0, V1 \
	VMULPS (2*WIDTH)(DI)(R8*1), VS0, V2 \
	VMULPS (3*WIDTH)(DI)(R8*1), VS0, V3 \
	VMOVUPS V0, (DI)(R8*1) \
	VMOVUPS V1, (1*WIDTH)(DI)(R8*1) \
	VMOVUPS V2, (2*WIDTH)(DI)(R8*1) \
	VMOVUPS V3, (3*WIDTH)(DI)(R8*1)

#define STEP_RESCALE(L, S, M) \
	L(DI, V0) \
	VMULPS VS0, V0, V0 \
	S(V0, DI)

// SOFTMAX is the whole of softmaxRowsAVX2 and softmaxRowsAVX512. The next row's greatest element is sought before
// this row's sum is at hand.
#define SOFTMAX \
	MOVQ y+0(FP), DI \
	MOVQ x+8(FP), SI \
	MOVQ n+16(FP), CX \
	MOVQ rows+24(FP), R11 \
	MOVQ ystep+32(FP), BX \
	MOVQ xstep+40(FP), DX \
	SPAN \
	USE_EXP \
	ROWMAX(quads, ones, loop, rest, done) \
row: \
	LEAQ (SI)(DX*1), R12 \
	ZEROSUM \
	GROUPS(groups2, ones2, loop2, rest2, done2, STEP_EXPSUM) \
	MOVQ R12, SI \
	CMPQ R11, $1 \
	JEQ  fold \
	ROWMAX(quads4, ones4, loop4, rest4, done4) \
fold: \
	FOLDSUM \
	VMOVSS kOne, X1 \
	VDIVSS X0, X1, X0 \
	VBROADCASTSS X0, VS0 \
	QUADS(quads3, ones3, QUAD_SCALE) \
	EACHON(loop3, rest3, done3, STEP_RESCALE) \
	ADDQ BX, DI \
	DECQ R11 \
	JNZ  row \
	VZEROUPPER \
	RET
