// Steps of layer norm's gradient, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h; gain in BX.

// The gradient of one row: the mean in V6, rstd in V7; x in SI, dy in DX.

// CENTRED: V0 = x - mean, V1 = dy of a row; V2 = gain is loaded before.
#define CENTRED(L, x, dy, mean) \
	L(x, V0) \
	L(dy, V1) \
	VSUBPS mean, V0, V0

// Σ dy·gain in g, Σ dy·gain·(x - mean) in gx
#define ADDSUMS(g, gx) \
	VMULPS V2, V1, V3 \
	VADDPS V3, g, g \
	VFMADD231PS V0, V3, gx

// dgain (V4) += dy·x̂, dbias (V5) += dy
#define ADDGAIN(rstd) \
	VMULPS rstd, V0, V0 \
	VADDPS V1, V5, V5 \
	VFMADD231PS V0, V1, V4

#define STEP_GRADSUMS(L, S, M) \
	L(BX, V2) \
	CENTRED(L, SI, DX, V6) \
	ADDSUMS(V8, V9)

#define STEP_GRADSUMSGAIN(L, S, M) \
	L(R11, V4) \
	L(R12, V5) \
	STEP_GRADSUMS(L, S, M) \
	ADDGAIN(V7) \
	S(V4, R11) \
	S(V5, R12)

// V0 = dy·gain - (g + (x - mean)·k), which times rstd is dx: g is the mean of the first sum, k that of the second
// times rstd².
#define UNSCALED(g, k) \
	VFMADD213PS g, k, V0 \
	VFMSUB231PS V2, V1, V0

// NEXTROWS: R12 and AX, what follows x and dy, usually their next rows: while this row is computed they are
// fetched.
#define NEXTROWS \
	LEAQ (SI)(R9*1), R12 \
	LEAQ (DX)(R9*1), AX

// dx in DI, g and k in V10 and V11
#define STEP_NORMGRAD(L, S, M) \
	PREFETCHT0 (R12)(R8*1) \
	PREFETCHT0 (AX)(R8*1) \
	L(BX, V2) \
	CENTRED(L, SI, DX, V6) \
	UNSCALED(V10, V11) \
	VMULPS V7, V0, V0 \
	S(V0, DI)

// The same plus add (R11)
#define STEP_NORMGRADADD(L, S, M) \
	PREFETCHT0 (R12)(R8*1) \
	PREFETCHT0 (AX)(R8*1) \
	L(BX, V2) \
	L(R11, V3) \
	CENTRED(L, SI, DX, V6) \
	UNSCALED(V10, V11) \
	VFMADD213PS V3, V7, V0 \
	S(V0, DI)

// The gradient of two rows at once. The second's x in R14 and dy in R15, its mean in VMEAN2 and rstd in VRSTD2.
// While the sums are taken, the rows of dx (R13 and CX) are fetched, and while dx is computed, what follows the
// rows of x and dy (R12 and AX), usually the next two.

#define STEP_GRADSUMS2(L, S, M) \
	PREFETCHT0 (R13)(R8*1) \
	PREFETCHT0 (CX)(R8*1) \
	L(BX, V2) \
	CENTRED(L, SI, DX, V6) \
	ADDSUMS(V8, V9) \
	CENTRED(L, R14, R15, VMEAN2) \
	ADDSUMS(V10, V11)

#define STEP_GRADSUMSGAIN2(L, S, M) \
	PREFETCHT0 (R13)(R8*1) \
	PREFETCHT0 (CX)(R8*1) \
	L(BX, V2) \
	L(R11, V4) \
	L(R12, V5) \
	CENTRED(L, SI, DX, V6) \
	ADDSUMS(V8, V9) \
	ADDGAIN(V7) \
	CENTRED(L, R14, R15, VMEAN2) \
	ADDSUMS(V10, V11) \
	ADDGAIN(VRSTD2) \
	S(V4, R11) \
	S(V5, R12)

// SUMSOFTWO stores the four sums in AX, where c is mean, rstd and two sums of each row.
#define SUMSOFTWO \
	VMOVAPS V8, V0 \
	VMOVAPS V10, V2 \
	SUM \
	SUM2 \
	VMOVSS X0, 8(AX) \
	VMOVSS X2, 24(AX) \
	VMOVAPS V9, V0 \
	VMOVAPS V11, V2 \
	SUM \
	SUM2 \
	VMOVSS X0, 12(AX) \
	VMOVSS X2, 28(AX)

#define ROWSTATS \
	VBROADCASTSS (AX), V6 \
	VBROADCASTSS 4(AX), V7 \
	VBROADCASTSS 16(AX), VMEAN2 \
	VBROADCASTSS 20(AX), VRSTD2

// dx in DI and R13; the second row's g and k in V4 and V5
#define STEP_NORMGRAD2(L, S, M) \
	PREFETCHT0 (R12)(R8*2) \
	PREFETCHT0 64(R12)(R8*2) \
	PREFETCHT0 (AX)(R8*2) \
	PREFETCHT0 64(AX)(R8*2) \
	L(BX, V2) \
	CENTRED(L, SI, DX, V6) \
	UNSCALED(V10, V11) \
	VMULPS V7, V0, V0 \
	S(V0, DI) \
	CENTRED(L, R14, R15, VMEAN2) \
	UNSCALED(V4, V5) \
	VMULPS VRSTD2, V0, V0 \
	S(V0, R13)

// The same plus add (R11 and CX)
#define STEP_NORMGRADADD2(L, S, M) \
	PREFETCHT0 (R12)(R8*2) \
	PREFETCHT0 64(R12)(R8*2) \
	PREFETCHT0 (AX)(R8*2) \
	PREFETCHT0 64(AX)(R8*2) \
	L(BX, V2) \
	L(R11, V3) \
	CENTRED(L, SI, DX, V6) \
	UNSCALED(V10, V11) \
	VFMADD213PS V3, V7, V0 \
	S(V0, DI) \
	L(CX, V3) \
	CENTRED(L, R14, R15, VMEAN2) \
	UNSCALED(V4, V5) \
	VFMADD213PS V3, VRSTD2, V0 \
	S(V0, R13)

#define ROWMEANS \
	ROWSTATS \
	VBROADCASTSS 8(AX), V10 \
	VBROADCASTSS 12(AX), V11 \
	VBROADCASTSS 24(AX), V4 \
	VBROADCASTSS 28(AX), V5
