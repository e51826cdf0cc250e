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
	VMINPS x, KMax, x \
	VMAXPS x, KMin, x \
	REDUCE(x, n) \
	SERIES(x, p) \
	VFMADD213PS KOne, x, p \
	VFMADD213PS KOne, x, p \
	POW2(n, p, x)

// EXP2: p = 2^x; x and n are lost. USE_EXP2 first.
#define EXP2(x, n, p) \
	VMINPS x, KMax, x \
	VMAXPS x, KMin, x \
	ROUND(x, n) \
	VSUBPS n, x, x \
	VMOVUPS KP6, p \
	VFMADD213PS KP5, x, p \
	VFMADD213PS KP4, x, p \
	VFMADD213PS KP3, x, p \
	VFMADD213PS KP2, x, p \
	VFMADD213PS KP1, x, p \
	VFMADD213PS KOne, x, p \
	POW2(n, p, x)
