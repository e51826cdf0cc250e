//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"
#include "exp_avx512_amd64.h"
#include "attention_cached_body_amd64.h"

// A row of attention on a cache, head after head. R13 points to the attnHeads, R10 is the bytes of a head in the cache, R15 those
// of a row there. R8 counts the bytes of a row; those of q and out are SCALE times as many.

// ROW: p = the row that entry i of the list in DI names.
#define ROW(i, p) \
	MOVLQSX i, p \
	IMULQ   R15, p \
	ADDQ    R9, p

// WIDEN: v = the 16 bfloat16 at byte R8 of p, at further on.
#define WIDEN(p, at, v) \
	VPMOVZXWD at(p)(R8*1), v \
	VPSLLD    $16, v, v

#define DOTS \
	VMOVUPS (SI)(R8*1), V0 \
	VFMADD231PS (AX)(R8*1), V0, V8 \
	VFMADD231PS (BX)(R8*1), V0, V9 \
	VFMADD231PS (DX)(R8*1), V0, V10 \
	VFMADD231PS (R11)(R8*1), V0, V11 \
	ADDQ $64, R8

#define DOTSROUNDED \
	VMOVUPS (SI)(R8*2), V0 \
	WIDEN(AX, 0, V1) \
	WIDEN(BX, 0, V2) \
	WIDEN(DX, 0, V3) \
	WIDEN(R11, 0, V4) \
	VFMADD231PS V1, V0, V8 \
	VFMADD231PS V2, V0, V9 \
	VFMADD231PS V3, V0, V10 \
	VFMADD231PS V4, V0, V11 \
	ADDQ $32, R8

// SCORES takes four keys at a time, of which the last repeat where the list ends.
#define SCORES(LOG, DOTS) \
	MOVQ attnHeads_q(R13), SI \
	MOVQ attnHeads_k(R13), R9 \
	MOVQ attnHeads_strideK(R13), R15 \
	SHLQ $LOG, R15 \
	MOVQ attnHeads_hd(R13), R10 \
	SHLQ $LOG, R10 \
	XORQ CX, CX \
keys: \
	MOVQ attnHeads_list(R13), DI \
	LEAQ (DI)(CX*4), DI \
	MOVQ attnHeads_n(R13), R14 \
	SUBQ CX, R14 \
	ROW((DI), AX) \
	MOVQ AX, BX \
	MOVQ AX, DX \
	MOVQ AX, R11 \
	CMPQ R14, $2 \
	JLT  ready \
	ROW(4(DI), BX) \
	CMPQ R14, $3 \
	JLT  ready \
	ROW(8(DI), DX) \
	CMPQ R14, $4 \
	JLT  ready \
	ROW(12(DI), R11) \
ready: \
	MOVQ attnHeads_s(R13), R12 \
	LEAQ (R12)(CX*4), R12 \
	MOVQ attnHeads_ld(R13), DI \
	SHLQ $2, DI \
	MOVQ attnHeads_heads(R13), R14 \
	XORQ R8, R8 \
	MOVQ R10, R9 \
head: \
	ZERO(V8) \
	ZERO(V9) \
	ZERO(V10) \
	ZERO(V11) \
loop: \
	DOTS \
	CMPQ R8, R9 \
	JLT  loop \
	LISTFOLD512 \
	VMOVUPS X0, (R12) \
	ADDQ DI, R12 \
	ADDQ R10, R9 \
	DECQ R14 \
	JNZ  head \
	MOVQ attnHeads_k(R13), R9 \
	ADDQ $4, CX \
	CMPQ CX, attnHeads_n(R13) \
	JLT  keys \
	VZEROUPPER \
	RET

// func attnHeadsScoresAVX512(a *attnHeads)
TEXT ·attnHeadsScoresAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), R13
	SCORES(2, DOTS)

// func attnHeadsScoresRoundedAVX512(a *attnHeads)
TEXT ·attnHeadsScoresRoundedAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), R13
	SCORES(1, DOTSROUNDED)

#define MIX4 \
	VFMADD231PS (AX)(R8*1), V8, V0 \
	VFMADD231PS 64(AX)(R8*1), V8, V1 \
	VFMADD231PS 128(AX)(R8*1), V8, V2 \
	VFMADD231PS 192(AX)(R8*1), V8, V3
#define MIX1 VFMADD231PS (AX)(R8*1), V8, V0

#define MIX4ROUNDED \
	WIDEN(AX, 0, V4) \
	WIDEN(AX, 32, V5) \
	WIDEN(AX, 64, V6) \
	WIDEN(AX, 96, V7) \
	VFMADD231PS V4, V8, V0 \
	VFMADD231PS V5, V8, V1 \
	VFMADD231PS V6, V8, V2 \
	VFMADD231PS V7, V8, V3
#define MIX1ROUNDED \
	WIDEN(AX, 0, V4) \
	VFMADD231PS V4, V8, V0

// MIX: SI is out, BX a head's weights, R12 the end of the head, R14 the heads that are left.
#define MIX(LOG, MIX4, MIX1) \
	MOVQ attnHeads_v(R13), R9 \
	MOVQ attnHeads_strideV(R13), R15 \
	SHLQ $LOG, R15 \
	MOVQ attnHeads_hd(R13), R10 \
	SHLQ $LOG, R10 \
	MOVQ attnHeads_list(R13), DI \
	MOVQ attnHeads_out(R13), SI \
	MOVQ attnHeads_s(R13), BX \
	MOVQ attnHeads_sum(R13), DX \
	MOVQ attnHeads_n(R13), R11 \
	MOVQ attnHeads_heads(R13), R14 \
	VBROADCASTSS one<>(SB), V9 \
	XORQ R8, R8 \
head: \
	VBROADCASTSS (DX), V10 \
	VDIVPS V10, V9, V10 \
	LEAQ (R8)(R10*1), R12 \
quad: \
	LEAQ (4*16<<LOG)(R8), AX \
	CMPQ AX, R12 \
	JGT  single \
	XORQ CX, CX \
	ZERO(V0) \
	ZERO(V1) \
	ZERO(V2) \
	ZERO(V3) \
quadKeys: \
	ROW((DI)(CX*4), AX) \
	VBROADCASTSS (BX)(CX*4), V8 \
	MIX4 \
	INCQ CX \
	CMPQ CX, R11 \
	JLT  quadKeys \
	VMULPS V10, V0, V0 \
	VMULPS V10, V1, V1 \
	VMULPS V10, V2, V2 \
	VMULPS V10, V3, V3 \
	VMOVUPS V0, (SI) \
	VMOVUPS V1, 64(SI) \
	VMOVUPS V2, 128(SI) \
	VMOVUPS V3, 192(SI) \
	ADDQ $256, SI \
	ADDQ $(4*16<<LOG), R8 \
	JMP  quad \
single: \
	CMPQ R8, R12 \
	JGE  next \
	XORQ CX, CX \
	ZERO(V0) \
singleKeys: \
	ROW((DI)(CX*4), AX) \
	VBROADCASTSS (BX)(CX*4), V8 \
	MIX1 \
	INCQ CX \
	CMPQ CX, R11 \
	JLT  singleKeys \
	VMULPS V10, V0, V0 \
	VMOVUPS V0, (SI) \
	ADDQ $64, SI \
	ADDQ $(16<<LOG), R8 \
	JMP  single \
next: \
	ADDQ $4, DX \
	MOVQ attnHeads_ld(R13), AX \
	LEAQ (BX)(AX*4), BX \
	DECQ R14 \
	JNZ  head \
	VZEROUPPER \
	RET

DATA one<>+0(SB)/4, $1.0
GLOBL one<>(SB), RODATA|NOPTR, $4

// func attnHeadsMixAVX512(a *attnHeads)
TEXT ·attnHeadsMixAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), R13
	MIX(2, MIX4, MIX1)

// func attnHeadsMixRoundedAVX512(a *attnHeads)
TEXT ·attnHeadsMixRoundedAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), R13
	MIX(1, MIX4ROUNDED, MIX1ROUNDED)
