// Winograd's transforms, for V registers of WIDTH bytes. The last vector ends with the last channel, and so may lie partly
// over the one before it. AX counts bytes, CX is the last vector's place.

// PAIR is two pixels of a column combined by OP: v = first OP second.
#define PAIR(OP, first, second, v) \
	MOVQ    (8*first)(SI), BX \
	MOVQ    (8*second)(SI), DX \
	VMOVUPS (BX)(AX*1), v \
	OP      (DX)(AX*1), v, v

// PLACES is a row of four places, of pixels combined in V0 to V3.
#define PLACES \
	VSUBPS  V2, V0, V4 \
	VADDPS  V2, V1, V5 \
	VSUBPS  V1, V2, V6 \
	VSUBPS  V3, V1, V7 \
	VMOVUPS V4, (R8) \
	VMOVUPS V5, (R8)(R9*1) \
	VMOVUPS V6, (R8)(R9*2) \
	VMOVUPS V7, (R8)(R10*1) \
	LEAQ    (R8)(R9*4), R8

#define ROWOF(OP, first, second) \
	PAIR(OP, first, second, V0) \
	PAIR(OP, (first+1), (second+1), V1) \
	PAIR(OP, (first+2), (second+2), V2) \
	PAIR(OP, (first+3), (second+3), V3) \
	PLACES

// NEXT goes on to the next vector, the last at CX, or leaves.
#define NEXT(loop, done) \
	CMPQ    AX, CX \
	JGE     done \
	ADDQ    $WIDTH, AX \
	CMPQ    AX, CX \
	CMOVQGT CX, AX \
	JMP     loop

#define WINOGRADIN \
	MOVQ dst+0(FP), DI \
	MOVQ step+8(FP), R9 \
	MOVQ from+16(FP), SI \
	MOVQ n+24(FP), CX \
	SHLQ $2, CX \
	SUBQ $WIDTH, CX \
	LEAQ (R9)(R9*2), R10 \
	XORQ AX, AX \
loop: \
	LEAQ (DI)(AX*1), R8 \
	ROWOF(VSUBPS, 0, 8) \
	ROWOF(VADDPS, 4, 8) \
	ROWOF(VSUBPS, 8, 4) \
	ROWOF(VSUBPS, 4, 12) \
	NEXT(loop, done) \
done: \
	VZEROUPPER \
	RET

// COLUMN is a column of four places: the sums for the upper and the lower pixels.
#define COLUMN(first, second, third, fourth, upper, lower) \
	VMOVUPS second, V8 \
	VMOVUPS third, V9 \
	VADDPS  V9, V8, upper \
	VADDPS  first, upper, upper \
	VSUBPS  V9, V8, lower \
	VSUBPS  fourth, lower, lower

// PIXELS are the left and right pixel of sums a to d.
#define PIXELS(a, b, c, d, left, right) \
	VADDPS  c, b, V8 \
	VADDPS  a, V8, V8 \
	VADDPS  V10, V8, V8 \
	VMAXPS  V8, V11, V8 \
	VSUBPS  c, b, V9 \
	VSUBPS  d, V9, V9 \
	VADDPS  V10, V9, V9 \
	VMAXPS  V9, V11, V9 \
	MOVQ    left(DI), DX \
	VMOVUPS V8, (DX)(AX*1) \
	MOVQ    right(DI), DX \
	VMOVUPS V9, (DX)(AX*1)

#define WINOGRADOUT \
	MOVQ  to+0(FP), DI \
	MOVQ  src+8(FP), SI \
	MOVQ  step+16(FP), R9 \
	MOVQ  bias+24(FP), BX \
	MOVQ  n+32(FP), CX \
	VBROADCASTSS floor+40(FP), V11 \
	SHLQ  $2, CX \
	SUBQ  $WIDTH, CX \
	LEAQ  (R9)(R9*2), R10 \
	XORQ  AX, AX \
loop: \
	LEAQ (SI)(AX*1), R8 \
	LEAQ (R8)(R9*4), R11 \
	LEAQ (R11)(R9*4), R12 \
	LEAQ (R12)(R9*4), R13 \
	COLUMN((R8), (R11), (R12), (R13), V0, V4) \
	COLUMN((R8)(R9*1), (R11)(R9*1), (R12)(R9*1), (R13)(R9*1), V1, V5) \
	COLUMN((R8)(R9*2), (R11)(R9*2), (R12)(R9*2), (R13)(R9*2), V2, V6) \
	COLUMN((R8)(R10*1), (R11)(R10*1), (R12)(R10*1), (R13)(R10*1), V3, V7) \
	VMOVUPS (BX)(AX*1), V10 \
	PIXELS(V0, V1, V2, V3, 0, 8) \
	PIXELS(V4, V5, V6, V7, 16, 24) \
	NEXT(loop, done) \
done: \
	VZEROUPPER \
	RET
