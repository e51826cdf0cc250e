//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx2_amd64.h"
#include "attention_cached_body_amd64.h"

// func attnListScoresAVX2(s, q, k *float32, list *int32, n, stride, hd int)
TEXT ·attnListScoresAVX2(SB), NOSPLIT, $0-56
	MOVQ q+8(FP), SI
	MOVQ hd+48(FP), CX
	SHLQ $2, stride+40(FP)
	SPAN
	XORQ CX, CX
	JMP  test
keys:
	MOVQ list+24(FP), DI
	LISTROW(0, AX)
	LISTROW(1, BX)
	LISTROW(2, DX)
	LISTROW(3, R11)
	LISTROW(8, R12)
	LISTROW(9, R13)
	LISTROW(10, R14)
	LISTROW(11, R15)
	ZERO(V8)
	ZERO(V9)
	ZERO(V10)
	ZERO(V11)
	EACH2(loop, rest, done, LIST_DOTS, LIST_DOTSREST)
	LISTFOLD
	MOVQ s+0(FP), DI
	VMOVUPS X0, (DI)(CX*4)
	ADDQ $4, CX
test:
	CMPQ CX, n+32(FP)
	JLT  keys
	VZEROUPPER
	RET

// func attnListMixAVX2(out, p, v *float32, list *int32, n, stride, hd int, factor float32)
TEXT ·attnListMixAVX2(SB), NOSPLIT, $0-60
	MOVQ out+0(FP), SI
	MOVQ p+8(FP), BX
	MOVQ list+24(FP), DI
	MOVQ hd+48(FP), CX
	SHLQ $2, stride+40(FP)
	SPAN
	VBROADCASTSS factor+56(FP), V10
	XORQ R8, R8
	MOVQ R10, R13
	ANDQ $~(4*WIDTH-1), R13
	JMP  quadTest
quad:
	XORQ CX, CX
	ZERO(V0)
	ZERO(V1)
	ZERO(V2)
	ZERO(V3)
quadKeys:
	MIXROWS
	VBROADCASTSS (BX)(CX*4), V8
	PREFETCHT0 (DX)(R8*1)
	PREFETCHT0 (2*WIDTH)(DX)(R8*1)
	PREFETCHT0 (4*WIDTH-64)(DX)(R8*1)
	VFMADD231PS (AX)(R8*1), V8, V0
	VFMADD231PS (1*WIDTH)(AX)(R8*1), V8, V1
	VFMADD231PS (2*WIDTH)(AX)(R8*1), V8, V2
	VFMADD231PS (3*WIDTH)(AX)(R8*1), V8, V3
	INCQ CX
	CMPQ CX, n+32(FP)
	JLT  quadKeys
	VMULPS V10, V0, V0
	VMULPS V10, V1, V1
	VMULPS V10, V2, V2
	VMULPS V10, V3, V3
	VMOVUPS V0, (SI)(R8*1)
	VMOVUPS V1, (1*WIDTH)(SI)(R8*1)
	VMOVUPS V2, (2*WIDTH)(SI)(R8*1)
	VMOVUPS V3, (3*WIDTH)(SI)(R8*1)
	ADDQ $(4*WIDTH), R8
quadTest:
	CMPQ R8, R13
	JLT  quad
	JMP  oneTest
one:
	XORQ CX, CX
	ZERO(V0)
oneKeys:
	MIXROWS
	VBROADCASTSS (BX)(CX*4), V8
	PREFETCHT0 (DX)(R8*1)
	VFMADD231PS (AX)(R8*1), V8, V0
	INCQ CX
	CMPQ CX, n+32(FP)
	JLT  oneKeys
	VMULPS V10, V0, V0
	VMOVUPS V0, (SI)(R8*1)
	ADDQ $WIDTH, R8
oneTest:
	CMPQ R8, R10
	JLT  one
	CMPQ R8, R9
	JGE  done
	XORQ CX, CX
	ZERO(V0)
restKeys:
	MIXROWS
	VBROADCASTSS (BX)(CX*4), V8
	PREFETCHT0 (DX)(R8*1)
	LT(AX, V1)
	VFMADD231PS V1, V8, V0
	INCQ CX
	CMPQ CX, n+32(FP)
	JLT  restKeys
	VMULPS V10, V0, V0
	ST(V0, SI)
done:
	VZEROUPPER
	RET
