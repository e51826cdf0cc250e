//go:build amd64 && !noasm

#include "textflag.h"

// func prefetchListed(base unsafe.Pointer, list *int32, n, stride, bytes int)
TEXT ·prefetchListed(SB), NOSPLIT, $0-40
	MOVQ base+0(FP), SI
	MOVQ list+8(FP), DI
	MOVQ n+16(FP), CX
	MOVQ stride+24(FP), R8
	MOVQ bytes+32(FP), R9
	JMP  test
row:
	MOVLQSX (DI), AX
	IMULQ R8, AX
	ADDQ  SI, AX
	LEAQ  (AX)(R9*1), DX
line:
	PREFETCHT0 (AX)
	ADDQ $64, AX
	CMPQ AX, DX
	JLT  line
	ADDQ $4, DI
	DECQ CX
test:
	TESTQ CX, CX
	JNE  row
	RET

// func prefetchLines(at unsafe.Pointer, n int)
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVQ at+0(FP), AX
	MOVQ n+8(FP), CX
line:
	PREFETCHT1 (AX)
	ADDQ $64, AX
	DECQ CX
	JNZ  line
	RET
