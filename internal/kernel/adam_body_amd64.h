// A step of AdamW, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h: p in DI, m in SI, v in DX, g in BX, and
// scale, beta1, rest1, beta2, rest2, eps, rate and decay in V4 to V11.
#define STEP_ADAM(L, S, M) \
	L(BX, V0) \
	L(SI, V1) \
	L(DX, V2) \
	L(DI, V3) \
	VMULPS V4, V0, V0 \
	VMULPS V5, V1, V1 \
	VFMADD231PS V6, V0, V1 \
	VMULPS V7, V2, V2 \
	VMULPS V0, V0, V0 \
	VFMADD231PS V8, V0, V2 \
	S(V1, SI) \
	S(V2, DX) \
	VSQRTPS V2, V2 \
	VADDPS V9, V2, V2 \
	VDIVPS V2, V1, V1 \
	VFNMADD231PS V1, V10, V3 \
	VMOVAPS V3, V0 \
	VFNMADD231PS V0, V11, V3 \
	S(V3, DI)
