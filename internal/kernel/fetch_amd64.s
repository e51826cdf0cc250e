//go:build amd64 && !noasm

#include "textflag.h"

// func fetchRows(at *float32, stride, rows int)
TEXT ·fetchRows(SB), NOSPLIT, $0-24
	MOVQ at+0(FP), AX
	MOVQ stride+8(FP), BX
	MOVQ rows+16(FP), CX
	SHLQ $2, BX

row:
	PREFETCHT1 (AX)
	PREFETCHT1 64(AX)
	ADDQ       BX, AX
	DECQ       CX
	JNZ        row
	RET
