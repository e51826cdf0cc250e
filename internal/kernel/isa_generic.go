//go:build !amd64 || noasm

package kernel

func bestISA() ISA { return Generic }

func fastDotBF16() bool { return false }
