// Attention on a cache in bfloat16, in the words of exp_avx512_amd64.h and exp_avx2_amd64.h and the steps of
// attention_cached_body_amd64.h. R8 counts the bytes of a row, which are half of those of q and out.
#define HALFWIDTH (WIDTH/2)

// WIDEN: v = the numbers at byte R8 of p, at further on.
#define WIDEN(p, at, v) \
	VPMOVZXWD at(p)(R8*1), v \
	VPSLLD    $16, v, v

// ROUNDED_SCORES: R10 is set to the bytes of a row of k.
#define ROUNDED_SCORES(FOLD4) \
	MOVQ q+8(FP), SI \
	MOVQ hd+48(FP), R10 \
	SHLQ $1, R10 \
	SHLQ $1, stride+40(FP) \
	XORQ CX, CX \
	JMP  test \
keys: \
	MOVQ list+24(FP), DI \
	LISTROW(0, AX) \
	LISTROW(1, BX) \
	LISTROW(2, DX) \
	LISTROW(3, R11) \
	LISTROW(8, R12) \
	LISTROW(9, R13) \
	LISTROW(10, R14) \
	LISTROW(11, R15) \
	ZERO(V8) \
	ZERO(V9) \
	ZERO(V10) \
	ZERO(V11) \
	XORQ R8, R8 \
loop: \
	VMOVUPS (SI)(R8*2), V0 \
	PREFETCHT0 (R12)(R8*1) \
	PREFETCHT0 (R13)(R8*1) \
	PREFETCHT0 (R14)(R8*1) \
	PREFETCHT0 (R15)(R8*1) \
	WIDEN(AX, 0, V1) \
	WIDEN(BX, 0, V2) \
	WIDEN(DX, 0, V3) \
	WIDEN(R11, 0, V4) \
	VFMADD231PS V1, V0, V8 \
	VFMADD231PS V2, V0, V9 \
	VFMADD231PS V3, V0, V10 \
	VFMADD231PS V4, V0, V11 \
	ADDQ $HALFWIDTH, R8 \
	CMPQ R8, R10 \
	JLT  loop \
	FOLD4 \
	MOVQ s+0(FP), DI \
	VMOVUPS X0, (DI)(CX*4) \
	ADDQ $4, CX \
test: \
	CMPQ CX, n+32(FP) \
	JLT  keys \
	VZEROUPPER \
	RET

// ROUNDED_MIX: R10 is set to the bytes of a row of v, R13 to those of whole groups of four vectors.
#define ROUNDED_MIX \
	MOVQ out+0(FP), SI \
	MOVQ p+8(FP), BX \
	MOVQ list+24(FP), DI \
	MOVQ hd+48(FP), R10 \
	SHLQ $1, R10 \
	SHLQ $1, stride+40(FP) \
	VBROADCASTSS factor+56(FP), V10 \
	XORQ R8, R8 \
	MOVQ R10, R13 \
	ANDQ $~(4*HALFWIDTH-1), R13 \
	JMP  quadTest \
quad: \
	XORQ CX, CX \
	ZERO(V0) \
	ZERO(V1) \
	ZERO(V2) \
	ZERO(V3) \
quadKeys: \
	MIXROWS \
	VBROADCASTSS (BX)(CX*4), V8 \
	PREFETCHT0 (DX)(R8*1) \
	PREFETCHT0 (4*HALFWIDTH-1)(DX)(R8*1) \
	WIDEN(AX, 0, V4) \
	WIDEN(AX, HALFWIDTH, V5) \
	WIDEN(AX, 2*HALFWIDTH, V6) \
	WIDEN(AX, 3*HALFWIDTH, V7) \
	VFMADD231PS V4, V8, V0 \
	VFMADD231PS V5, V8, V1 \
	VFMADD231PS V6, V8, V2 \
	VFMADD231PS V7, V8, V3 \
	INCQ CX \
	CMPQ CX, n+32(FP) \
	JLT  quadKeys \
	VMULPS V10, V0, V0 \
	VMULPS V10, V1, V1 \
	VMULPS V10, V2, V2 \
	VMULPS V10, V3, V3 \
	VMOVUPS V0, (SI)(R8*2) \
	VMOVUPS V1, (1*WIDTH)(SI)(R8*2) \
	VMOVUPS V2, (2*WIDTH)(SI)(R8*2) \
	VMOVUPS V3, (3*WIDTH)(SI)(R8*2) \
	ADDQ $(4*HALFWIDTH), R8 \
quadTest: \
	CMPQ R8, R13 \
	JLT  quad \
	JMP  oneTest \
one: \
	XORQ CX, CX \
	ZERO(V0) \
oneKeys: \
	MIXROWS \
	VBROADCASTSS (BX)(CX*4), V8 \
	PREFETCHT0 (DX)(R8*1) \
	WIDEN(AX, 0, V4) \
	VFMADD231PS V4, V8, V0 \
	INCQ CX \
	CMPQ CX, n+32(FP) \
	JLT  oneKeys \
	VMULPS V10, V0, V0 \
	VMOVUPS V0, (SI)(R8*2) \
	ADDQ $HALFWIDTH, R8 \
oneTest: \
	CMPQ R8, R10 \
	JLT  one \
	VZEROUPPER \
	RET
