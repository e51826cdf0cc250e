//go:build amd64 && !noasm

#include "textflag.h"
#include "exp_avx512_amd64.h"
#include "attention_cached_body_amd64.h"
#include "attention_rounded_body_amd64.h"

// func attnListScoresRoundedAVX512(s, q *float32, k *uint16, list *int32, n, stride, hd int)
TEXT ·attnListScoresRoundedAVX512(SB), NOSPLIT, $0-56
	ROUNDED_SCORES(LISTFOLD512)

// func attnListMixRoundedAVX512(out, p *float32, v *uint16, list *int32, n, stride, hd int, factor float32)
TEXT ·attnListMixRoundedAVX512(SB), NOSPLIT, $0-60
	ROUNDED_MIX
