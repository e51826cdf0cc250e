// finishBlock in the words of exp_avx512_amd64.h and exp_avx2_amd64.h: a vector's columns of all rows, then the next ones.

DATA neutral<>+0(SB)/4, $1.0
DATA neutral<>+4(SB)/4, $0x80000000 // -0, which changes no number it is added to
GLOBL neutral<>(SB), RODATA|NOPTR, $8

#define FINISHBLOCK \
	MOVQ b+0(FP), R13 \
	MOVQ finishBlock_c(R13), DI \
	MOVQ finishBlock_sum(R13), SI \
	MOVQ finishBlock_residual(R13), DX \
	MOVQ finishBlock_scale(R13), R8 \
	MOVQ finishBlock_bias(R13), R9 \
	MOVQ finishBlock_cols(R13), CX \
	SHLQ $2, CX \
	MOVQ finishBlock_strideC(R13), R10 \
	SHLQ $2, R10 \
	MOVQ finishBlock_strideSum(R13), R11 \
	SHLQ $2, R11 \
	MOVQ finishBlock_strideResidual(R13), R12 \
	SHLQ $2, R12 \
	VBROADCASTSS neutral<>+0(SB), V0 \
	VBROADCASTSS neutral<>+4(SB), V1 \
column: \
	TESTQ R8, R8 \
	JEQ   unscaled \
	VMOVUPS (R8), V0 \
	ADDQ  $WIDTH, R8 \
unscaled: \
	TESTQ R9, R9 \
	JEQ   unbiased \
	VMOVUPS (R9), V1 \
	ADDQ  $WIDTH, R9 \
unbiased: \
	MOVQ finishBlock_rows(R13), BX \
	MOVQ SI, AX \
	MOVQ DI, R14 \
	TESTQ DX, DX \
	JNE  added \
row: \
	VMULPS (AX), V0, V2 \
	VADDPS V1, V2, V2 \
	VMOVUPS V2, (R14) \
	ADDQ R11, AX \
	ADDQ R10, R14 \
	DECQ BX \
	JNZ  row \
	JMP  next \
added: \
	MOVQ DX, R15 \
rowAdded: \
	VMULPS (AX), V0, V2 \
	VADDPS V1, V2, V2 \
	VADDPS (R15), V2, V2 \
	VMOVUPS V2, (R14) \
	ADDQ R11, AX \
	ADDQ R10, R14 \
	ADDQ R12, R15 \
	DECQ BX \
	JNZ  rowAdded \
	ADDQ $WIDTH, DX \
next: \
	ADDQ $WIDTH, SI \
	ADDQ $WIDTH, DI \
	SUBQ $WIDTH, CX \
	JNZ  column \
	VZEROUPPER \
	RET
