//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx2_amd64.h"
#include "add_body_amd64.h"
#include "norm_body_amd64.h"
#include "norm_grad_body_amd64.h"

#define VMEAN Y12
#define VMEAN2 Y13
#define VRSTD Y13
#define XCOUNT X14

// func normRowsAVX2(y, x, gain, bias *float32, n, rows, ystep, xstep int, eps float32, stats *[2]float32)
TEXT ·normRowsAVX2(SB), NOSPLIT, $0-80
	NORMROWS

// func normGradRowsAVX2(dx, dy, x, gain *float32, n, rows, dxstep, dystep, xstep int, mean, rstd *float32)
TEXT ·normGradRowsAVX2(SB), NOSPLIT, $0-88
	NORMGRADROWS

// func normGradGainRowsAVX2(dx, dy, x, gain *float32, n, rows, dxstep, dystep, xstep int, mean, rstd, dgain, dbias *float32)
TEXT ·normGradGainRowsAVX2(SB), NOSPLIT, $0-104
	NORMGRADGAINROWS

// func normGainRowsAVX2(dy, x *float32, n, rows, dystep, xstep int, mean, rstd, dgain, dbias *float32)
TEXT ·normGainRowsAVX2(SB), NOSPLIT, $0-80
	NORMGAINROWS
