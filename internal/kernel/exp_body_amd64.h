// The transcendentals, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h. A NaN stays a NaN: of two
// operands VMINPS and VMAXPS return the one written first here if either is a NaN.

// REDUCE: n = the whole number nearest x·log2(e), x = x - n·ln 2.
#define REDUCE(x, n) \
	VMULPS KLog2E, x, n \
	ROUND(n, n) \
	VFNMADD231PS KLn2Hi, n, x \
	VFNMADD231PS KLn2Lo, n, x

// SERIES: p = (e^r - 1 - r)/r^2 for a reduced r.
#define SERIES(r, p) \
	VMOVUPS KE4, p \
	VFMADD213PS KE3, r, p \
	VFMADD213PS KE2, r, p \
	VFMADD213PS KE1, r, p \
	VFMADD213PS KE0, r, p

// EXP: p = e^x; x and n are lost. USE_EXP first.
#define EXP(x, n, p) \
	EXP_MIN(x, n, p, p, 0) \
	EXP_MAX(x, n, p, p, 0) \
	REDUCE(x, n) \
	SERIES(x, p) \
	EXP_ONE(x, n, p, p, 0) \
	EXP_ONE(x, n, p, p, 0) \
	EXP_SCALE(x, n, p, p, 0)

// EXPON does the same in steps.
#define EXPON(ON) \
	ON(EXP_MIN) \
	ON(EXP_MAX) \
	ON(EXP_LOG2) \
	ON(EXP_ROUND) \
	ON(EXP_HI) \
	ON(EXP_LO) \
	ON(EXP_4) \
	ON(EXP_3) \
	ON(EXP_2) \
	ON(EXP_1) \
	ON(EXP_0) \
	ON(EXP_ONE) \
	ON(EXP_ONE) \
	ON(EXP_SCALE)

#define EXP_MIN(x, n, p, s, at) VMINPS x, KMax, x
#define EXP_MAX(x, n, p, s, at) VMAXPS x, KMin, x
#define EXP_LOG2(x, n, p, s, at) VMULPS KLog2E, x, n
#define EXP_ROUND(x, n, p, s, at) ROUND(n, n)
#define EXP_HI(x, n, p, s, at) VFNMADD231PS KLn2Hi, n, x
#define EXP_LO(x, n, p, s, at) VFNMADD231PS KLn2Lo, n, x
#define EXP_4(x, n, p, s, at) VMOVUPS KE4, p
#define EXP_3(x, n, p, s, at) VFMADD213PS KE3, x, p
#define EXP_2(x, n, p, s, at) VFMADD213PS KE2, x, p
#define EXP_1(x, n, p, s, at) VFMADD213PS KE1, x, p
#define EXP_0(x, n, p, s, at) VFMADD213PS KE0, x, p
#define EXP_ONE(x, n, p, s, at) VFMADD213PS KOne, x, p
#define EXP_SCALE(x, n, p, s, at) POW2(n, p, x)

// EXP2ON: p = 2^x, for x between -252 and 252; x and n are lost. USE_EXP2 first.
#define EXP2ON(ON) \
	ON(EXP2_ROUND) \
	ON(EXP2_LESS) \
	ON(EXP2_6) \
	ON(EXP2_5) \
	ON(EXP2_4) \
	ON(EXP2_3) \
	ON(EXP2_2) \
	ON(EXP2_1) \
	ON(EXP_ONE) \
	ON(EXP_SCALE)

#define EXP2_ROUND(x, n, p, s, at) ROUND(x, n)
#define EXP2_LESS(x, n, p, s, at) VSUBPS n, x, x
#define EXP2_6(x, n, p, s, at) VMOVUPS KP6, p
#define EXP2_5(x, n, p, s, at) VFMADD213PS KP5, x, p
#define EXP2_4(x, n, p, s, at) VFMADD213PS KP4, x, p
#define EXP2_3(x, n, p, s, at) VFMADD213PS KP3, x, p
#define EXP2_2(x, n, p, s, at) VFMADD213PS KP2, x, p
#define EXP2_1(x, n, p, s, at) VFMADD213PS KP1, x, p
