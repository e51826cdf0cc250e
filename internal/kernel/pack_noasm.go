//go:build !amd64 || noasm

package kernel

func packAcrossArch([]float32, int, []float32, int, int, int) bool { return false }

func packAlongArch([]float32, int, []float32, int, int, int) bool { return false }

func splitPairsArch([]uint16, pairs, []float32, bool) bool { return false }

func (p *Packed) packPairsArch(*Matrix, int, int, int) bool { return false }
