//go:build !amd64 || noasm

package kernel

func adamArch(p, m, v, g []float32, c *[8]float32) bool { return false }
