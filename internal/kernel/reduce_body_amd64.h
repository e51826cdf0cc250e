// Steps of the reductions, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h; x in SI.

// Σx² in the float64s of V8 and V9, from what WIDENF or WIDENT loaded
#define SQUAREWIDE \
	VFMADD231PD V0, V0, V8 \
	VFMADD231PD V1, V1, V9

#define SQUARES_F \
	WIDENF(SI) \
	SQUAREWIDE

#define SQUARES_T \
	WIDENT(SI) \
	SQUAREWIDE
