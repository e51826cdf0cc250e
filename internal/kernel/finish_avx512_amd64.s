//go:build amd64 && !noasm

#include "textflag.h"
#include "go_asm.h"
#include "exp_avx512_amd64.h"
#include "finish_body_amd64.h"

// func finishBlockAVX512(b *finishBlock)
TEXT ·finishBlockAVX512(SB), NOSPLIT, $0-8
	FINISHBLOCK
