//go:build amd64 && !noasm

#include "textflag.h"

#define WIDTH 32
#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
#define V5 Y5
#define V6 Y6
#define V7 Y7
#define V8 Y8
#define V9 Y9
#define V10 Y10
#define V11 Y11

#include "winograd_body_amd64.h"

// func winogradInAVX2(dst *float32, step int, from *[16]unsafe.Pointer, n int)
TEXT ·winogradInAVX2(SB), NOSPLIT, $0-32
	WINOGRADIN

// func winogradOutAVX2(to *[4]unsafe.Pointer, src *float32, step int, bias *float32, n int, floor float32)
TEXT ·winogradOutAVX2(SB), NOSPLIT, $0-44
	WINOGRADOUT
