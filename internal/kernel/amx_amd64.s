//go:build amd64 && !noasm

#include "go_asm.h"
#include "textflag.h"

// The Go assembler has no AMX instructions, so they are spelled as bytes. Tiles are read and written
// through [base + stride]; the strides are R8 = 64 (left operand), R9 = 128 (right) and R10 (sums).
#define LDTILECFG_AX BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0x00
#define TILERELEASE BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0
#define TILEZERO(t) BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $(0xc0|(t<<3))
#define TDPBF16PS(c, a, b) BYTE $0xc4; BYTE $0xe2; BYTE $(0x02|((15-b)<<3)); BYTE $0x5c; BYTE $(0xc0|(c<<3)|a)

// Loads (F2) and stores (F3) at the base itself, 64 and 1024 bytes further. m is the stride's and the base's
// number, three bits each, and 0x100 for a base from R8 on.
#define LOAD0(t, m) BYTE $0xc4; BYTE $(0xa2^((m>>8)<<5)); BYTE $0x7b; BYTE $0x4b; BYTE $(0x04|(t<<3)); BYTE $(m&0xff)
#define LOAD64(t, m) BYTE $0xc4; BYTE $(0xa2^((m>>8)<<5)); BYTE $0x7b; BYTE $0x4b; BYTE $(0x44|(t<<3)); BYTE $(m&0xff); BYTE $0x40
#define LOAD1024(t, m) BYTE $0xc4; BYTE $(0xa2^((m>>8)<<5)); BYTE $0x7b; BYTE $0x4b; BYTE $(0x84|(t<<3)); BYTE $(m&0xff); LONG $0x400
#define STORE0(t, m) BYTE $0xc4; BYTE $(0xa2^((m>>8)<<5)); BYTE $0x7a; BYTE $0x4b; BYTE $(0x04|(t<<3)); BYTE $(m&0xff)
#define STORE64(t, m) BYTE $0xc4; BYTE $(0xa2^((m>>8)<<5)); BYTE $0x7a; BYTE $0x4b; BYTE $(0x44|(t<<3)); BYTE $(m&0xff); BYTE $0x40

// PREFETCHW (R14) and 64(R14)
#define PREFETCHW_R14 BYTE $0x41; BYTE $0x0f; BYTE $0x0d; BYTE $0x0e
#define PREFETCHW_64_R14 BYTE $0x41; BYTE $0x0f; BYTE $0x0d; BYTE $0x4e; BYTE $0x40

// Base and stride of the planes: A0 A1 A2 in AX, R11, R12, B0 B1 B2 in BX, CX, SI; sums at DX (the
// upper 16 rows) and AX (the lower).
#define A0 0x000
#define A1 0x103
#define A2 0x104
#define B0 0x00b
#define B1 0x009
#define B2 0x00e
#define UPPER 0x012
#define LOWER 0x010

// 32 rows times 32 columns: sums in tiles 0 1 (upper left and right) and 2 3 (lower), 16 rows of the left
// operand in 4 and in 5, 16 columns of the right operand in 6 and in 7. A tile product has 16 cycles a tile
// and a latency of 52, so four sums in turn keep the unit busy. BOTH begins with new operands; then
// each product changes one operand only, so that two planes need 8 loads for 12 products and three 14 for 24.
#define BOTH(a, b) \
	LOAD0(4, a); LOAD0(6, b); TDPBF16PS(0, 4, 6); LOAD64(7, b); TDPBF16PS(1, 4, 7); \
	LOAD1024(5, a); TDPBF16PS(2, 5, 6); TDPBF16PS(3, 5, 7)
#define NEWA(a) \
	LOAD0(4, a); TDPBF16PS(0, 4, 6); TDPBF16PS(1, 4, 7); LOAD1024(5, a); TDPBF16PS(2, 5, 6); TDPBF16PS(3, 5, 7)
#define NEWB(b) \
	LOAD0(6, b); TDPBF16PS(0, 4, 6); TDPBF16PS(2, 5, 6); LOAD64(7, b); TDPBF16PS(1, 4, 7); TDPBF16PS(3, 5, 7)

// The same for at most 16 rows.
#define BOTH16(a, b) LOAD0(4, a); LOAD0(6, b); TDPBF16PS(0, 4, 6); LOAD64(7, b); TDPBF16PS(1, 4, 7)
#define NEWA16(a) LOAD0(4, a); TDPBF16PS(0, 4, 6); TDPBF16PS(1, 4, 7)
#define NEWB16(b) LOAD0(6, b); TDPBF16PS(0, 4, 6); LOAD64(7, b); TDPBF16PS(1, 4, 7)

// A row of the sums is fetched for writing, and some of the left operand that the next call reads.
#define WANTSUM PREFETCHW_R14; PREFETCHW_64_R14; ADDQ R10, R14
#define WANTLEFT1 PREFETCHT1 (DI); PREFETCHT1 64(DI); ADDQ $128, DI
#define WANTLEFT2 \
	PREFETCHT1 (DI); PREFETCHT1 64(DI); PREFETCHT1 128(DI); PREFETCHT1 192(DI); \
	PREFETCHT1 (DI)(R15*1); PREFETCHT1 64(DI)(R15*1); PREFETCHT1 128(DI)(R15*1); PREFETCHT1 192(DI)(R15*1); \
	ADDQ $256, DI
#define WANTLEFT3 \
	PREFETCHT1 (DI)(R15*2); PREFETCHT1 64(DI)(R15*2); PREFETCHT1 128(DI)(R15*2); PREFETCHT1 192(DI)(R15*2); \
	WANTLEFT2

// With few rows the right operand streams from memory: four steps ahead of its use.
#define AHEAD512(r, at) \
	PREFETCHT1 (at)(r); PREFETCHT1 (at+64)(r); PREFETCHT1 (at+128)(r); PREFETCHT1 (at+192)(r); \
	PREFETCHT1 (at+256)(r); PREFETCHT1 (at+320)(r); PREFETCHT1 (at+384)(r); PREFETCHT1 (at+448)(r)
#define AHEAD(r) AHEAD512(r, 8192); AHEAD512(r, 8704); AHEAD512(r, 9216); AHEAD512(r, 9728)

#define STEP1 ADDQ $2048, AX; ADDQ $2048, BX
#define STEP2 STEP1; ADDQ $2048, R11; ADDQ $2048, CX
#define STEP3 STEP2; ADDQ $2048, R12; ADDQ $2048, SI

// From the strip's description in DI to the counter of steps and what to fetch ahead.
#define BEGIN MOVQ tileStrip_steps(DI), R13; MOVQ next-24(SP), DI

// func tileRow(s *tileStrip)
// The tiles live inside this function only: no goroutine changes its thread here, and the system keeps
// them over signals and other threads.
TEXT ·tileRow(SB), NOSPLIT, $24-8
	MOVQ s+0(FP), DI
	MOVQ tileStrip_config(DI), AX
	LDTILECFG_AX
	MOVQ tileStrip_b(DI), AX
	MOVQ AX, b-8(SP)
	MOVQ tileStrip_panels(DI), AX
	MOVQ AX, panels-16(SP)
	MOVQ tileStrip_next(DI), AX
	MOVQ AX, next-24(SP)
	MOVQ tileStrip_c(DI), DX
	MOVQ tileStrip_ldc(DI), R10
	MOVQ tileStrip_aPlane(DI), R15
	MOVQ $64, R8
	MOVQ $128, R9

panel:
	CMPQ tileStrip_more(DI), $0
	JNE  read
	TILEZERO(0)
	TILEZERO(1)
	CMPQ tileStrip_kind(DI), $const_fewTileRows
	JGE  operands
	TILEZERO(2)
	TILEZERO(3)
	JMP  operands

read:
	LOAD0(0, UPPER)
	LOAD64(1, UPPER)
	CMPQ tileStrip_kind(DI), $const_fewTileRows
	JGE  operands
	MOVQ R10, AX
	SHLQ $4, AX
	ADDQ DX, AX
	LOAD0(2, LOWER)
	LOAD64(3, LOWER)

operands:
	MOVQ tileStrip_a(DI), AX
	LEAQ (AX)(R15*1), R11
	LEAQ (AX)(R15*2), R12
	MOVQ tileStrip_bPlane(DI), SI
	MOVQ b-8(SP), BX
	LEAQ (BX)(SI*1), CX
	LEAQ (BX)(SI*2), SI
	MOVQ DX, R14
	MOVQ tileStrip_kind(DI), R13
	CMPQ R13, $1
	JEQ  one
	CMPQ R13, $2
	JEQ  two
	CMPQ R13, $3
	JEQ  three
	CMPQ R13, $(const_fewTileRows+2)
	JLT  few1
	JEQ  few2
	JMP  few3

one:
	BEGIN
step1:
	BOTH(A0, B0)
	WANTSUM
	WANTLEFT1
	STEP1
	DECQ R13
	JNZ  step1
	JMP  write

two:
	BEGIN
step2:
	BOTH(A1, B0)
	WANTSUM
	NEWA(A0)
	WANTLEFT2
	NEWB(B1)
	WANTSUM
	STEP2
	DECQ R13
	JNZ  step2
	JMP  write

three:
	BEGIN
step3:
	BOTH(A2, B0)
	WANTSUM
	NEWA(A1)
	NEWB(B1)
	WANTSUM
	NEWA(A0)
	WANTLEFT3
	NEWB(B0)
	WANTSUM
	NEWB(B2)
	STEP3
	DECQ R13
	JNZ  step3
	JMP  write

few1:
	BEGIN
fewStep1:
	BOTH16(A0, B0)
	AHEAD(BX)
	STEP1
	DECQ R13
	JNZ  fewStep1
	JMP  write16

few2:
	BEGIN
fewStep2:
	BOTH16(A1, B0)
	AHEAD(BX)
	NEWA16(A0)
	NEWB16(B1)
	AHEAD(CX)
	STEP2
	DECQ R13
	JNZ  fewStep2
	JMP  write16

few3:
	BEGIN
fewStep3:
	BOTH16(A2, B0)
	AHEAD(BX)
	NEWA16(A1)
	NEWB16(B1)
	AHEAD(CX)
	NEWA16(A0)
	NEWB16(B0)
	NEWB16(B2)
	AHEAD(SI)
	STEP3
	DECQ R13
	JNZ  fewStep3
	JMP  write16

write:
	MOVQ R10, AX
	SHLQ $4, AX
	ADDQ DX, AX
	STORE0(2, LOWER)
	STORE64(3, LOWER)

write16:
	STORE0(0, UPPER)
	STORE64(1, UPPER)
	MOVQ DI, next-24(SP)
	MOVQ s+0(FP), DI
	MOVQ tileStrip_bPanel(DI), AX
	ADDQ AX, b-8(SP)
	ADDQ $128, DX
	DECQ panels-16(SP)
	JNZ  panel
	TILERELEASE
	RET
