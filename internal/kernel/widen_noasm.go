//go:build !amd64 || noasm

package kernel

func widenPairsArch([]float32, []uint16, int) int { return 0 }

func widenBytesArch([]float32, []int8) bool { return false }
