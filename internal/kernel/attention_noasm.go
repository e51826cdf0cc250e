package kernel

func attnPackTArch(dst, src []float32, ld, at, n, hd int) bool { return false }

func attnPackRowsArch(dst []float32, rows int, src []float32, ld, at, n, hd int) bool { return false }

func attnPutRowsArch(dst []float32, ld int, src []float32, wide, m, hd int, factor []float32) bool {
	return false
}

func attnSoftmaxArch(s []float32, m int, see attnRow, scale float32, st *attnStats) bool {
	return false
}

func attnScoreGradArch(s, d []float32, m int, see attnRow, scale float32, st *attnStats) bool {
	return false
}

func attnDotsArch(dot, a []float32, lda int, b []float32, ldb, m, hd int) bool { return false }
