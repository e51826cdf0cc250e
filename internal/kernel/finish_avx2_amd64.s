//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"
#include "exp_avx2_amd64.h"
#include "finish_body_amd64.h"

// func finishBlockAVX2(b *finishBlock)
TEXT ·finishBlockAVX2(SB), NOSPLIT, $0-8
	FINISHBLOCK
