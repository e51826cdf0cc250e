// A step of Dropout, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h: x in SI, dst in DI, the factor in V6,
// the counters in V7, their increment in V8, the key's words in V9 and V10, the limit in V11. KEEP scales V1 where
// the hash in V0 is not below the limit and clears it elsewhere.
#define STEP_DROPOUT(L, S, M) \
	VXORPS V9, V7, V0 \
	VPSRLD $16, V0, V1 \
	VXORPS V1, V0, V0 \
	VPMULLD KMix1, V0, V0 \
	VPADDD V10, V0, V0 \
	VPADDD V8, V7, V7 \
	VPSRLD $15, V0, V1 \
	VXORPS V1, V0, V0 \
	VPMULLD KMix2, V0, V0 \
	VPSRLD $16, V0, V1 \
	VXORPS V1, V0, V0 \
	L(SI, V1) \
	KEEP \
	S(V1, DI)
