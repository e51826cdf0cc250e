//go:build amd64 && !noasm

#include "textflag.h"

// func requestTiles() int: arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA); 0 where the process may use AMX.
TEXT ·requestTiles(SB), NOSPLIT, $0-8
	MOVQ $158, AX
	MOVQ $0x1023, DI
	MOVQ $18, SI
	SYSCALL
	MOVQ AX, ret+0(FP)
	RET
