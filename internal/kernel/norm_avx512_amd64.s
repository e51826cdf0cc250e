//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "add_body_amd64.h"
#include "norm_body_amd64.h"
#include "norm_grad_body_amd64.h"

#define VMEAN Z20
#define VMEAN2 Z21
#define VRSTD Z21
#define XCOUNT X22

// func normRowsAVX512(y, x, gain, bias *float32, n, rows, ystep, xstep int, eps float32, stats *[2]float32)
TEXT ·normRowsAVX512(SB), NOSPLIT, $0-80
	NORMROWS

// func normGradRowsAVX512(dx, dy, x, gain *float32, n, rows, dxstep, dystep, xstep int, mean, rstd *float32)
TEXT ·normGradRowsAVX512(SB), NOSPLIT, $0-88
	NORMGRADROWS

// func normGradGainRowsAVX512(dx, dy, x, gain *float32, n, rows, dxstep, dystep, xstep int, mean, rstd, dgain, dbias *float32)
TEXT ·normGradGainRowsAVX512(SB), NOSPLIT, $0-104
	NORMGRADGAINROWS

// func normGainRowsAVX512(dy, x *float32, n, rows, dystep, xstep int, mean, rstd, dgain, dbias *float32)
TEXT ·normGainRowsAVX512(SB), NOSPLIT, $0-80
	NORMGAINROWS
