//go:build !amd64 || noasm

package kernel

func fmaSpin() spinner { return spinner{spinScalar, 8} }

func dotSpin() spinner { return spinner{} }

func tileSpin() spinner { return spinner{} }

func readStreamArch([]float32) bool { return false }

func mapStreamArch(_, _ []float32) bool { return false }

func updateStreamArch(_, _, _, _ []float32) bool { return false }
