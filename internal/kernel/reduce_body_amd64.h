// Steps of the reductions, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h; x in SI.

// Σx in the float64s of V8 and V9, from what WIDENF or WIDENT loaded
#define ADDWIDE \
	VADDPD V0, V8, V8 \
	VADDPD V1, V9, V9

// Σx²
#define SQUAREWIDE \
	VFMADD231PD V0, V0, V8 \
	VFMADD231PD V1, V1, V9

#define SUM_F \
	WIDENF(SI) \
	ADDWIDE

#define SUM_T \
	WIDENT(SI) \
	ADDWIDE

#define SQUARES_F \
	WIDENF(SI) \
	SQUAREWIDE

#define SQUARES_T \
	WIDENT(SI) \
	SQUAREWIDE

// The greatest magnitude in V8, as integers; the mask of magnitudes in V7
#define STEP_MAXABS(L, S, M) \
	L(SI, V0) \
	VANDPS V7, V0, V0 \
	VPMAXUD V0, V8, V8
