// Steps of layer norm, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h. Rows are taken by twos, so that
// one's sum is on its way while the other's is folded; what a row gives does not depend on which it is, nor on
// the other. x in SI and R12, gain in BX.

// Σ x of the row at AX in V8 to V11, of that at CX in V4 to V7
#define QUAD_SUM \
	VADDPS (AX)(R8*1), V8, V8 \
	VADDPS (CX)(R8*1), V4, V4 \
	VADDPS (1*WIDTH)(AX)(R8*1), V9, V9 \
	VADDPS (1*WIDTH)(CX)(R8*1), V5, V5 \
	VADDPS (2*WIDTH)(AX)(R8*1), V10, V10 \
	VADDPS (2*WIDTH)(CX)(R8*1), V6, V6 \
	VADDPS (3*WIDTH)(AX)(R8*1), V11, V11 \
	VADDPS (3*WIDTH)(CX)(R8*1), V7, V7

#define STEP_SUM(L, S, M) \
	L(AX, V0) \
	L(CX, V1) \
	VADDPS V0, V8, V8 \
	VADDPS V1, V4, V4

// Σ (x - mean)², the means in VMEAN and VMEAN2
#define QUAD_SQUARES \
	PREFETCHT0 (DI)(R8*1) \
	PREFETCHT0 (1*WIDTH)(DI)(R8*1) \
	PREFETCHT0 (2*WIDTH)(DI)(R8*1) \
	PREFETCHT0 (3*WIDTH)(DI)(R8*1) \
	PREFETCHT0 (R14)(R8*1) \
	PREFETCHT0 (1*WIDTH)(R14)(R8*1) \
	PREFETCHT0 (2*WIDTH)(R14)(R8*1) \
	PREFETCHT0 (3*WIDTH)(R14)(R8*1) \
	FOUR_SQUARES(SI, VMEAN, V8, V9, V10, V11) \
	FOUR_SQUARES(R12, VMEAN2, V4, V5, V6, V7)

#define FOUR_SQUARES(p, mean, a, b, c, d) \
	VMOVUPS (p)(R8*1), V0 \
	VMOVUPS (1*WIDTH)(p)(R8*1), V1 \
	VMOVUPS (2*WIDTH)(p)(R8*1), V2 \
	VMOVUPS (3*WIDTH)(p)(R8*1), V3 \
	VSUBPS mean, V0, V0 \
	VSUBPS mean, V1, V1 \
	VSUBPS mean, V2, V2 \
	VSUBPS mean, V3, V3 \
	VFMADD231PS V0, V0, a \
	VFMADD231PS V1, V1, b \
	VFMADD231PS V2, V2, c \
	VFMADD231PS V3, V3, d

#define STEP_SQUARES(L, S, M) \
	L(SI, V0) \
	L(R12, V1) \
	VSUBPS VMEAN, V0, V0 \
	VSUBPS VMEAN2, V1, V1 \
	M(V0) \
	M(V1) \
	VFMADD231PS V0, V0, V8 \
	VFMADD231PS V1, V1, V4

#define ZEROTWO \
	ZEROSUMS \
	ZERO(V4) \
	ZERO(V5) \
	ZERO(V6) \
	ZERO(V7)

// FOLDTWO: the sums in X0 and X2, divided by the number of columns in X14.
#define FOLDTWO \
	VADDPS V9, V8, V8 \
	VADDPS V5, V4, V4 \
	VADDPS V11, V10, V10 \
	VADDPS V7, V6, V6 \
	VADDPS V10, V8, V0 \
	VADDPS V6, V4, V2 \
	SUM \
	SUM2 \
	VDIVSS X14, X0, X0 \
	VDIVSS X14, X2, X2

// y = (x - mean)·rstd·gain + bias, rstd in V8 and V9; y in DI and R14, bias in DX. The two rows after the
// next two, R13 and R15, are fetched meanwhile.
#define STEP_NORM(L, S, M) \
	PREFETCHT0 (R13)(R8*1) \
	PREFETCHT0 (R15)(R8*1) \
	L(SI, V0) \
	L(R12, V1) \
	L(BX, V2) \
	L(DX, V3) \
	VSUBPS VMEAN, V0, V0 \
	VSUBPS VMEAN2, V1, V1 \
	VMULPS V8, V0, V0 \
	VMULPS V9, V1, V1 \
	VFMADD213PS V3, V2, V0 \
	VFMADD213PS V3, V2, V1 \
	S(V0, DI) \
	S(V1, R14)

// MEANS leaves the means of the two rows at AX and CX at to(R11) and to+8(R11).
#define MEANS(to, quads, ones, loop, rest, done) \
	ZEROTWO \
	QUADS(quads, ones, QUAD_SUM) \
	EACHON(loop, rest, done, STEP_SUM) \
	FOLDTWO \
	VMOVSS X0, to(R11) \
	VMOVSS X2, (to+8)(R11)

// NORMROWS is the whole of normRowsAVX2 and normRowsAVX512. A last row without a second is its own second. The
// next two rows' means are sought while these rows' variances are folded.
#define NORMROWS \
	MOVQ y+0(FP), DI \
	MOVQ x+8(FP), SI \
	MOVQ gain+16(FP), BX \
	MOVQ bias+24(FP), DX \
	MOVQ n+32(FP), CX \
	MOVQ stats+72(FP), R11 \
	VCVTSI2SSQ CX, X14, X14 \
	SPAN \
	MOVQ SI, AX \
	MOVQ SI, CX \
	MOVQ DI, R14 \
	CMPQ rows+40(FP), $1 \
	JEQ  first \
	ADDQ xstep+56(FP), CX \
	ADDQ ystep+48(FP), R14 \
first: \
	MEANS(0, quads, ones, loop, rest, done) \
pair: \
	MOVQ AX, SI \
	MOVQ CX, R12 \
	VBROADCASTSS (R11), VMEAN \
	VBROADCASTSS 8(R11), VMEAN2 \
	ZEROTWO \
	QUADS(quads2, ones2, QUAD_SQUARES) \
	EACHON(loop2, rest2, done2, STEP_SQUARES) \
	FOLDTWO \
	VMOVSS eps+64(FP), X1 \
	VADDSS X1, X0, X0 \
	VADDSS X1, X2, X2 \
	VSQRTSS X0, X0, X0 \
	VSQRTSS X2, X2, X2 \
	VMOVSS kOne, X1 \
	VDIVSS X0, X1, X0 \
	VDIVSS X2, X1, X2 \
	VMOVSS X0, 4(R11) \
	VMOVSS X2, 12(R11) \
	CMPQ rows+40(FP), $3 \
	JLT  norm \
	MOVQ R12, AX \
	ADDQ xstep+56(FP), AX \
	MOVQ AX, CX \
	CMPQ rows+40(FP), $3 \
	JEQ  last \
	ADDQ xstep+56(FP), CX \
last: \
	MEANS(16, quads4, ones4, loop4, rest4, done4) \
norm: \
	VBROADCASTSS 4(R11), V8 \
	VBROADCASTSS 12(R11), V9 \
	MOVQ CX, R13 \
	ADDQ xstep+56(FP), R13 \
	MOVQ R13, R15 \
	ADDQ xstep+56(FP), R15 \
	EACH(loop3, rest3, done3, STEP_NORM) \
	MOVQ R14, DI \
	ADDQ ystep+48(FP), DI \
	MOVQ DI, R14 \
	ADDQ $16, R11 \
	SUBQ $2, rows+40(FP) \
	JLE  end \
	CMPQ rows+40(FP), $1 \
	JEQ  pair \
	ADDQ ystep+48(FP), R14 \
	JMP  pair \
end: \
	VZEROUPPER \
	RET
