//go:build !amd64 || noasm

package kernel

func (f *finisher) blockArch(_ []float32, _ int, _ *Matrix, _, _, _, _ int) bool { return false }
