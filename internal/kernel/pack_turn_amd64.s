//go:build amd64 && !noasm

#include "textflag.h"

// Where the numbers of a result come from: row 0's, 0 to 31, and row 1's, 32 to 63, by turns.
DATA lowHalf<>+0(SB)/8, $0x0021000100200000
DATA lowHalf<>+8(SB)/8, $0x0023000300220002
DATA lowHalf<>+16(SB)/8, $0x0025000500240004
DATA lowHalf<>+24(SB)/8, $0x0027000700260006
DATA lowHalf<>+32(SB)/8, $0x0029000900280008
DATA lowHalf<>+40(SB)/8, $0x002b000b002a000a
DATA lowHalf<>+48(SB)/8, $0x002d000d002c000c
DATA lowHalf<>+56(SB)/8, $0x002f000f002e000e
GLOBL lowHalf<>(SB), RODATA, $64

// func alternate(dst *uint16, row, right int, src *uint16, pairs int)
TEXT ·alternate(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ row+8(FP), R9
	MOVQ right+16(FP), R10
	MOVQ src+24(FP), SI
	MOVQ pairs+32(FP), CX
	VMOVDQU64 lowHalf<>(SB), Z30
	MOVL $0x00100010, AX // the high half lies 16 numbers on
	VPBROADCASTD AX, Z31
	VPADDW Z31, Z30, Z31
loop:
	VMOVDQU64 (SI), Z0
	VMOVDQU64 64(SI), Z1
	VMOVDQA64 Z30, Z2
	VMOVDQA64 Z31, Z3
	VPERMI2W Z1, Z0, Z2
	VPERMI2W Z1, Z0, Z3
	VMOVDQU64 Z2, (DI)
	VMOVDQU64 Z3, (DI)(R10*1)
	ADDQ $128, SI
	ADDQ R9, DI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// func fetchLines(v *float32, lines int)
TEXT ·fetchLines(SB), NOSPLIT, $0-16
	MOVQ v+0(FP), SI
	MOVQ lines+8(FP), CX
	TESTQ CX, CX
	JZ done
line:
	PREFETCHT0 (SI)
	ADDQ $64, SI
	DECQ CX
	JNZ line
done:
	RET
