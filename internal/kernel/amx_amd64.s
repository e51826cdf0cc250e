//go:build amd64 && !noasm

#include "go_asm.h"
#include "textflag.h"

// The Go assembler has no AMX instructions, so they are spelled as bytes. Tiles are read and written
// through [base + stride]; the strides are R8 = 64 (operands) and R10 (sums).
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

// Base and stride of the planes: A0 A1 A2 in AX, R11, R12, B0 B1 B2 in BX, CX, SI, the other half of one of these
// in R14; sums at DX (the upper 16 rows) and AX (the lower).
#define A0 0x000
#define A1 0x103
#define A2 0x104
#define B0 0x003
#define B1 0x001
#define B2 0x006
#define OTHER 0x106
#define UPPER 0x012
#define LOWER 0x010

// 32 rows times 16 columns: sums in tile 0 (upper rows) and 1 (lower), 16 columns of the right operand in 2,
// 16 rows of the left one in 3. Every tile that is used takes one of the few registers behind the names for
// good, and while a core's other thread is busy there is hardly one to spare: a load then waits for the products
// before it. So four tiles are used and a product of tiles has 18 cycles alone and 35 beside another thread;
// with eight, 32 by 32 sums, it has 17 and 75. Each of these changes one operand. The orders below go down and
// up the left operand in turns, so that its last tile is the next product's first.
#define RIGHT(b) LOAD0(2, b)
#define UP(a) LOAD0(3, a); TDPBF16PS(0, 3, 2)
#define DOWN(a) LOAD1024(3, a); TDPBF16PS(1, 3, 2)
#define UPAGAIN TDPBF16PS(0, 3, 2)
#define DOWNAGAIN TDPBF16PS(1, 3, 2)

// 16 rows times 32 columns, for at most 16 rows: sums in tile 0 (left) and 1 (right).
#define LEFTHALF(b) LOAD0(2, b); TDPBF16PS(0, 3, 2)
#define RIGHTHALF(r) LEAQ (r)(R9*1), R14; LOAD0(2, OTHER); TDPBF16PS(1, 3, 2)
#define ROWS(a) LOAD0(3, a)

// A row of the next sums is fetched for writing, and some of the left operand that the next call reads.
#define WANTSUM PREFETCHW_R14; PREFETCHW_64_R14; ADDQ R10, R14
#define WANTLEFT1 PREFETCHT1 (DI); ADDQ $64, DI
#define WANTLEFT2 \
	PREFETCHT1 (DI); PREFETCHT1 64(DI); \
	PREFETCHT1 (DI)(R15*1); PREFETCHT1 64(DI)(R15*1); \
	ADDQ $128, DI
#define WANTLEFT3 \
	PREFETCHT1 (DI)(R15*2); PREFETCHT1 64(DI)(R15*2); \
	WANTLEFT2

// With few rows the right operand streams from memory: four steps ahead of its use.
#define AHEAD512(r, at) \
	PREFETCHT1 (at)(r); PREFETCHT1 (at+64)(r); PREFETCHT1 (at+128)(r); PREFETCHT1 (at+192)(r); \
	PREFETCHT1 (at+256)(r); PREFETCHT1 (at+320)(r); PREFETCHT1 (at+384)(r); PREFETCHT1 (at+448)(r)
#define AHEAD(r) AHEAD512(r, 4096); AHEAD512(r, 4608)
#define BOTHAHEAD(r) LEAQ (r)(R9*1), R14; AHEAD(r); AHEAD(R14)

#define STEP1 ADDQ $2048, AX; ADDQ $1024, BX
#define STEP2 STEP1; ADDQ $2048, R11; ADDQ $1024, CX
#define STEP3 STEP2; ADDQ $2048, R12; ADDQ $1024, SI

// From the strip's description in DI to the counter of steps and what to fetch ahead.
#define BEGIN MOVQ tileStrip_steps(DI), R13; MOVQ next-24(SP), DI

// func tileRow(s *tileStrip)
// The tiles live inside this function only: no goroutine changes its thread here, and the system keeps
// them over signals and other threads.
TEXT ·tileRow(SB), NOSPLIT, $32-8
	MOVQ s+0(FP), DI
	MOVQ tileStrip_config(DI), AX
	LDTILECFG_AX
	MOVQ tileStrip_b(DI), AX
	MOVQ AX, b-8(SP)
	MOVQ tileStrip_panels(DI), AX
	MOVQ AX, panels-16(SP)
	MOVQ tileStrip_next(DI), AX
	MOVQ AX, next-24(SP)
	MOVQ $0, right-32(SP)
	MOVQ tileStrip_c(DI), DX
	MOVQ tileStrip_ldc(DI), R10
	MOVQ tileStrip_aPlane(DI), R15
	MOVQ $64, R8
	MOVQ tileStrip_bHalf(DI), R9

// A panel, or half of one.
panel:
	CMPQ tileStrip_more(DI), $0
	JNE  read
	TILEZERO(0)
	TILEZERO(1)
	JMP  operands

read:
	LOAD0(0, UPPER)
	CMPQ tileStrip_kind(DI), $const_fewTileRows
	JGE  readRight
	MOVQ R10, AX
	SHLQ $4, AX
	ADDQ DX, AX
	LOAD0(1, LOWER)
	JMP  operands

readRight:
	LOAD64(1, UPPER)

operands:
	MOVQ tileStrip_a(DI), AX
	LEAQ (AX)(R15*1), R11
	LEAQ (AX)(R15*2), R12
	MOVQ tileStrip_bPlane(DI), SI
	MOVQ b-8(SP), BX
	LEAQ (BX)(SI*1), CX
	LEAQ (BX)(SI*2), SI
	MOVQ right-32(SP), R14
	SHLQ $4, R14
	IMULQ R10, R14
	LEAQ 128(R14)(DX*1), R14
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
	RIGHT(B0)
	UP(A0)
	WANTSUM
	WANTLEFT1
	DOWN(A0)
	STEP1
	DECQ R13
	JNZ  step1
	JMP  write

two:
	BEGIN
step2:
	RIGHT(B0)
	UP(A1)
	WANTSUM
	DOWN(A1)
	DOWN(A0)
	WANTLEFT2
	UP(A0)
	RIGHT(B1)
	UPAGAIN
	WANTSUM
	DOWN(A0)
	STEP2
	DECQ R13
	JNZ  step2
	JMP  write

three:
	BEGIN
step3:
	RIGHT(B0)
	UP(A2)
	WANTSUM
	DOWN(A2)
	DOWN(A1)
	UP(A1)
	RIGHT(B1)
	UPAGAIN
	WANTLEFT3
	DOWN(A1)
	WANTSUM
	DOWN(A0)
	UP(A0)
	RIGHT(B0)
	UPAGAIN
	DOWN(A0)
	RIGHT(B2)
	WANTSUM
	DOWNAGAIN
	UP(A0)
	STEP3
	DECQ R13
	JNZ  step3
	JMP  write

few1:
	BEGIN
fewStep1:
	ROWS(A0)
	LEFTHALF(B0)
	BOTHAHEAD(BX)
	RIGHTHALF(BX)
	STEP1
	DECQ R13
	JNZ  fewStep1
	JMP  write16

few2:
	BEGIN
fewStep2:
	ROWS(A1)
	LEFTHALF(B0)
	BOTHAHEAD(BX)
	RIGHTHALF(BX)
	ROWS(A0)
	TDPBF16PS(1, 3, 2)
	LEFTHALF(B0)
	LEFTHALF(B1)
	BOTHAHEAD(CX)
	RIGHTHALF(CX)
	STEP2
	DECQ R13
	JNZ  fewStep2
	JMP  write16

few3:
	BEGIN
fewStep3:
	ROWS(A2)
	LEFTHALF(B0)
	BOTHAHEAD(BX)
	RIGHTHALF(BX)
	ROWS(A1)
	TDPBF16PS(1, 3, 2)
	LEFTHALF(B0)
	LEFTHALF(B1)
	BOTHAHEAD(CX)
	RIGHTHALF(CX)
	ROWS(A0)
	TDPBF16PS(1, 3, 2)
	LEFTHALF(B1)
	LEFTHALF(B0)
	RIGHTHALF(BX)
	BOTHAHEAD(SI)
	RIGHTHALF(SI)
	LEFTHALF(B2)
	STEP3
	DECQ R13
	JNZ  fewStep3
	JMP  write16

write:
	MOVQ R10, AX
	SHLQ $4, AX
	ADDQ DX, AX
	STORE0(0, UPPER)
	STORE0(1, LOWER)
	MOVQ DI, next-24(SP)
	MOVQ s+0(FP), DI
	ADDQ $64, DX
	XORQ $1, right-32(SP)
	JZ   whole
	ADDQ R9, b-8(SP)
	JMP  panel

whole:
	MOVQ tileStrip_bNext(DI), AX
	JMP  next

write16:
	STORE0(0, UPPER)
	STORE64(1, UPPER)
	MOVQ DI, next-24(SP)
	MOVQ s+0(FP), DI
	MOVQ tileStrip_bNext(DI), AX
	ADDQ R9, AX
	ADDQ $128, DX

next:
	ADDQ AX, b-8(SP)
	DECQ panels-16(SP)
	JNZ  panel
	TILERELEASE
	RET
