//go:build !amd64 || noasm

package kernel

func attnBlockRows() int { return 4 }

func (p *attnProduct) blockArch() bool { return false }

func attnTransposeRows() int { return 0 }

func attnTransposeArch(dst, src []float32, ld, hd, rows int) {}

func attnCopyRowsArch(dst []float32, ldd int, src []float32, lds, m, hd int, factor []float32) bool {
	return false
}

func attnExpArch(s []float32, ld int, m int, see attnRow, top, sum []float32) bool { return false }

func attnScoreGradArch(s, d []float32, ld int, m int, see attnRow, lse, dot []float32) bool {
	return false
}

func attnCenterArch(s, d []float32, ld int, m int, see attnRow) bool { return false }

func attnDotsArch(dot, a []float32, lda int, b []float32, ldb, m, hd int) bool { return false }

func attnListScoresArch(s, q, k []float32, list []int32, stride int) bool { return false }

func attnListMixArch(out, p, v []float32, list []int32, stride int, factor float32) bool {
	return false
}

func attnListScoresRoundedArch(s, q []float32, k []uint16, list []int32, stride int) bool {
	return false
}

func attnListMixRoundedArch(out, p []float32, v []uint16, list []int32, stride int, factor float32) bool {
	return false
}
