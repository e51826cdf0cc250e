// What the register kernels of gemm_avx512_amd64.s and gemm_avx2_amd64.s have in common. A tile (R13) is a Go
// struct; b is the rows of its panel. In registers:
//
//	AX, R11, R12  rows 0, 5 and 10 of a at the current depth
//	R8, R9, R10   bytes between rows of a, three times that, bytes between depths
//	BX            the current row of b
//	CX            the depth that is left
//	DX, DI        c, bytes between its rows
//	R14, R15      what to fetch into the second-level cache, and how far to move on at each depth
#define LOAD \
	MOVQ t+0(FP), R13 \
	MOVQ b+8(FP), BX \
	MOVQ tile_k(R13), CX \
	MOVQ tile_a(R13), AX \
	MOVQ tile_rowStep(R13), R8 \
	SHLQ $2, R8 \
	MOVQ tile_depthStep(R13), R10 \
	SHLQ $2, R10 \
	LEAQ (R8)(R8*2), R9 \
	LEAQ (R8)(R8*4), R11 \
	LEAQ (AX)(R11*2), R12 \
	ADDQ AX, R11 \
	MOVQ tile_c(R13), DX \
	MOVQ tile_stride(R13), DI \
	SHLQ $2, DI \
	MOVQ tile_ahead(R13), R14 \
	MOVQ tile_aheadStep(R13), R15

// FORWARD goes to the next depth of a.
#define FORWARD \
	PREFETCHT1 (R14) \
	ADDQ R10, AX \
	ADDQ R10, R11 \
	ADDQ R10, R12 \
	ADDQ R15, R14

// The high half of every word.
DATA high<>+0(SB)/4, $0xffff0000
DATA high<>+4(SB)/4, $0xffff0000
DATA high<>+8(SB)/4, $0xffff0000
DATA high<>+12(SB)/4, $0xffff0000
DATA high<>+16(SB)/4, $0xffff0000
DATA high<>+20(SB)/4, $0xffff0000
DATA high<>+24(SB)/4, $0xffff0000
DATA high<>+28(SB)/4, $0xffff0000
GLOBL high<>(SB), RODATA|NOPTR, $32
#define HIGH high<>(SB)
