//go:build !amd64 || noasm

package kernel

func dropoutArch(dst, x []float32, m *dropoutMask) bool { return false }
