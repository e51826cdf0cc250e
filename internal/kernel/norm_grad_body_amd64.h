// Layer norm's gradient, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h. A row takes two passes: its sums,
// then dx. One loop does the second of a row and the first of the next, so that memory, loads and arithmetic are
// busy alike all the time, gain is loaded once for both, and a row's sums are folded while what follows is on its
// way. What a row gives does not depend on the others.
//
// gain in BX. The row whose sums are taken: x in R14, dy in R15, mean in V6, rstd in V7, sums in V8 and V9. The row
// whose dx is computed: x in SI, dy in DX, dx in DI, mean in VMEAN, rstd in VRSTD, what to subtract in
// V10 and V11. AHEAD is how far what will be needed is fetched.

#define AHEAD 512

// CENTRED: V0 = x - mean, V1 = dy of a row; V2 = gain is loaded before.
#define CENTRED(L, x, dy, mean) \
	L(x, V0) \
	L(dy, V1) \
	VSUBPS mean, V0, V0

// Σ dy·gain in V8, Σ dy·gain·(x - mean) in V9
#define SUMS(L) \
	CENTRED(L, R14, R15, V6) \
	VMULPS V2, V1, V3 \
	VADDPS V3, V8, V8 \
	VFMADD231PS V0, V3, V9

// V0 = dx, from V0 and V1: rstd·(dy·gain - (g + (x - mean)·k)) with g (V10) the mean of the first sum and k (V11) that of
// the second times rstd².
#define GRAD \
	VFMADD213PS V10, V11, V0 \
	VFMSUB231PS V2, V1, V0 \
	VMULPS VRSTD, V0, V0

// dgain (V4, of R12) += dy·x̂, dbias (V5, of R13) += dy, from V0 and V1; V3 is used.
#define LOADGAIN(L) \
	L(R12, V4) \
	L(R13, V5)

#define ADDGAIN(rstd) \
	VMULPS rstd, V0, V3 \
	VADDPS V1, V5, V5 \
	VFMADD231PS V3, V1, V4

#define STOREGAIN(S) \
	S(V4, R12) \
	S(V5, R13)

#define FETCH \
	PREFETCHT0 AHEAD(R14)(R8*1) \
	PREFETCHT0 AHEAD(R15)(R8*1) \
	PREFETCHT0 AHEAD(DI)(R8*1)

// The steps of the first row, of a row and the next, and of the last. dgain and dbias are loaded and stored once for
// two rows, in every second loop.
#define FIRST(L, S, M) \
	L(BX, V2) \
	SUMS(L)

#define BOTH(L, S, M) \
	FETCH \
	L(BX, V2) \
	CENTRED(L, SI, DX, VMEAN) \
	GRAD \
	S(V0, DI) \
	SUMS(L)

#define BOTHGAIN(L, S, M) \
	FETCH \
	L(BX, V2) \
	LOADGAIN(L) \
	CENTRED(L, SI, DX, VMEAN) \
	ADDGAIN(VRSTD) \
	GRAD \
	S(V0, DI) \
	SUMS(L) \
	ADDGAIN(V7) \
	STOREGAIN(S)

#define LAST(L, S, M) \
	L(BX, V2) \
	CENTRED(L, SI, DX, VMEAN) \
	GRAD \
	S(V0, DI)

#define LASTGAIN(L, S, M) \
	L(BX, V2) \
	LOADGAIN(L) \
	CENTRED(L, SI, DX, VMEAN) \
	ADDGAIN(VRSTD) \
	STOREGAIN(S) \
	GRAD \
	S(V0, DI)

// Only dgain and dbias.
#define STEP_GAIN(L, S, M) \
	CENTRED(L, R14, R15, V6) \
	LOADGAIN(L) \
	ADDGAIN(V7) \
	STOREGAIN(S)

// STATS: mean and rstd of the next row, from mean and rstd on.
#define STATS(mean, rstd) \
	MOVQ mean, AX \
	VBROADCASTSS (AX), V6 \
	ADDQ $4, mean \
	MOVQ rstd, AX \
	VBROADCASTSS (AX), V7 \
	ADDQ $4, rstd

#define NEXTSTATS \
	STATS(mean+72(FP), rstd+80(FP)) \
	ZERO(V8) \
	ZERO(V9)

#define FIRSTROW \
	MOVQ dx+0(FP), DI \
	MOVQ dy+8(FP), R15 \
	MOVQ x+16(FP), R14 \
	MOVQ gain+24(FP), BX \
	MOVQ n+32(FP), CX \
	VCVTSI2SSQ CX, XCOUNT, XCOUNT \
	SPAN \
	NEXTSTATS \
	EACH(loop, rest, done, FIRST)

// NEXTROW: the row whose sums are known becomes that whose dx is computed; if there is none behind it, to last.
#define NEXTROW(last) \
	VMOVAPS V8, V0 \
	VMOVAPS V9, V2 \
	SUM \
	SUM2 \
	VDIVSS XCOUNT, X0, X0 \
	VDIVSS XCOUNT, X2, X2 \
	VMULSS X7, X2, X2 \
	VMULSS X7, X2, X2 \
	VBROADCASTSS X0, V10 \
	VBROADCASTSS X2, V11 \
	VMOVAPS V6, VMEAN \
	VMOVAPS V7, VRSTD \
	MOVQ R14, SI \
	MOVQ R15, DX \
	DECQ rows+40(FP) \
	JLE  last \
	ADDQ xstep+64(FP), R14 \
	ADDQ dystep+56(FP), R15 \
	NEXTSTATS

// NORMGRADROWS is a whole function: dx, dy, x, gain, n, rows, the bytes from row to row of the first three, mean and
// rstd. NORMGRADGAINROWS has dgain and dbias besides.
#define NORMGRADROWS \
	FIRSTROW \
row: \
	NEXTROW(last) \
	EACH(loop2, rest2, done2, BOTH) \
	ADDQ dxstep+48(FP), DI \
	JMP  row \
last: \
	EACH(loop3, rest3, done3, LAST) \
	VZEROUPPER \
	RET

#define NORMGRADGAINROWS \
	MOVQ dgain+88(FP), R12 \
	MOVQ dbias+96(FP), R13 \
	FIRSTROW \
row: \
	NEXTROW(odd) \
	EACH(loop2, rest2, done2, BOTHGAIN) \
	ADDQ dxstep+48(FP), DI \
	NEXTROW(even) \
	EACH(loop3, rest3, done3, BOTH) \
	ADDQ dxstep+48(FP), DI \
	JMP  row \
odd: \
	EACH(loop4, rest4, done4, LASTGAIN) \
	VZEROUPPER \
	RET \
even: \
	EACH(loop5, rest5, done5, LAST) \
	VZEROUPPER \
	RET

// NORMGAINROWS is a whole function: dgain and dbias of rows.
#define NORMGAINROWS \
	MOVQ dy+0(FP), R15 \
	MOVQ x+8(FP), R14 \
	MOVQ n+16(FP), CX \
	MOVQ dgain+64(FP), R12 \
	MOVQ dbias+72(FP), R13 \
	SPAN \
row: \
	STATS(mean+48(FP), rstd+56(FP)) \
	EACH(loop, rest, done, STEP_GAIN) \
	ADDQ dystep+32(FP), R15 \
	ADDQ xstep+40(FP), R14 \
	DECQ rows+24(FP) \
	JG   row \
	VZEROUPPER \
	RET
