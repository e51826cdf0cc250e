//go:build amd64 && !noasm

#include "textflag.h"

#define WIDTH 64
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define V8 Z8
#define V9 Z9
#define V10 Z10
#define V11 Z11

#include "winograd_body_amd64.h"

// func winogradInAVX512(dst *float32, step int, from *[16]unsafe.Pointer, n int)
TEXT ·winogradInAVX512(SB), NOSPLIT, $0-32
	WINOGRADIN

// func winogradOutAVX512(to *[4]unsafe.Pointer, src *float32, step int, bias *float32, n int, floor float32)
TEXT ·winogradOutAVX512(SB), NOSPLIT, $0-44
	WINOGRADOUT
