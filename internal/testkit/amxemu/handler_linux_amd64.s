//go:build !noasm && !race

#include "textflag.h"

// func handlers() (handler, restorer uintptr)
TEXT ·handlers(SB), NOSPLIT, $0-16
	LEAQ ·onFault(SB), AX
	MOVQ AX, handler+0(FP)
	LEAQ ·sigreturn(SB), AX
	MOVQ AX, restorer+8(FP)
	RET

// onFault is called by the kernel, in C's manner, on the thread's signal stack: DI the signal, SI what
// is known about it, DX the interrupted registers. The kernel restores all registers when it ends.
TEXT ·onFault(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	SUBQ $56, SP
	MOVQ DI, 16(SP)
	MOVQ SI, 24(SP)
	MOVQ DX, 32(SP)
	MOVQ DX, 0(SP)
	CALL ·emulate(SB)
	MOVBLZX 8(SP), AX
	MOVQ 16(SP), DI
	MOVQ 24(SP), SI
	MOVQ 32(SP), DX
	ADDQ $56, SP
	TESTL AX, AX
	JEQ  pass
	RET
pass:
	MOVQ ·before+0(SB), AX
	JMP  AX

TEXT ·sigreturn(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVQ $15, AX
	SYSCALL
	INT  $3

// func dotRows(c, a, b *row, rows, pairs int, columns uint16)
// Signals arrive with subnormals honoured; tiles take them as zero and write zero for them.
TEXT ·dotRows(SB), NOSPLIT, $8-42
	MOVQ c+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ rows+24(FP), CX
	KMOVW columns+40(FP), K1
	STMXCSR old-8(SP)
	MOVL $0x9fc0, new-4(SP)
	LDMXCSR new-4(SP)
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z31
row:
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	MOVQ b+16(FP), BX
	XORQ DX, DX
pair:
	VPBROADCASTD (SI)(DX*4), Z2
	VMOVDQU32 (BX), Z3
	VPSLLD $16, Z2, Z4
	VPSLLD $16, Z3, Z5
	VPANDD Z31, Z2, Z2
	VPANDD Z31, Z3, Z3
	VFMADD231PS Z4, Z5, Z0
	VFMADD231PS Z2, Z3, Z1
	ADDQ $64, BX
	INCQ DX
	CMPQ DX, pairs+32(FP)
	JLT  pair
	VADDPS Z1, Z0, Z0
	VADDPS (DI), Z0, K1, Z0
	VMOVUPS.Z Z0, K1, Z0
	VMOVUPS Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  row
	LDMXCSR old-8(SP)
	VZEROUPPER
	RET

// func xsaveOffset(component uint32) uint32
TEXT ·xsaveOffset(SB), NOSPLIT, $0-12
	MOVL $0xd, AX
	MOVL component+0(FP), CX
	CPUID
	MOVL BX, ret+8(FP)
	RET
