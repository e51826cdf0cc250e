//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"

DATA neutral<>+0(SB)/4, $1.0
DATA neutral<>+4(SB)/4, $0x80000000 // -0, which changes no number it is added to
GLOBL neutral<>(SB), RODATA|NOPTR, $8

// func finishBlockAVX512(b *finishBlock)
TEXT ·finishBlockAVX512(SB), NOSPLIT, $0-8
	MOVQ b+0(FP), R13
	MOVQ finishBlock_c(R13), DI
	MOVQ finishBlock_sum(R13), SI
	MOVQ finishBlock_residual(R13), DX
	MOVQ finishBlock_scale(R13), R8
	MOVQ finishBlock_bias(R13), R9
	MOVQ finishBlock_cols(R13), CX
	SHRQ $4, CX
	MOVQ finishBlock_strideC(R13), R10
	SHLQ $2, R10
	MOVQ finishBlock_strideSum(R13), R11
	SHLQ $2, R11
	MOVQ finishBlock_strideResidual(R13), R12
	SHLQ $2, R12
	VBROADCASTSS neutral<>+0(SB), Z0
	VBROADCASTSS neutral<>+4(SB), Z1

column:
	TESTQ R8, R8
	JEQ   unscaled
	VMOVUPS (R8), Z0
	ADDQ  $64, R8

unscaled:
	TESTQ R9, R9
	JEQ   unbiased
	VMOVUPS (R9), Z1
	ADDQ  $64, R9

unbiased:
	MOVQ finishBlock_rows(R13), BX
	MOVQ SI, AX
	MOVQ DI, R14
	TESTQ DX, DX
	JNE  added

row:
	VMULPS (AX), Z0, Z2
	VADDPS Z1, Z2, Z2
	VMOVUPS Z2, (R14)
	ADDQ R11, AX
	ADDQ R10, R14
	DECQ BX
	JNZ  row
	JMP  next

added:
	MOVQ DX, R15

rowAdded:
	VMULPS (AX), Z0, Z2
	VADDPS Z1, Z2, Z2
	VADDPS (R15), Z2, Z2
	VMOVUPS Z2, (R14)
	ADDQ R11, AX
	ADDQ R10, R14
	ADDQ R12, R15
	DECQ BX
	JNZ  rowAdded
	ADDQ $64, DX

next:
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  column
	VZEROUPPER
	RET
