//go:build !amd64 || noasm

package kernel

func sumSquaresArch(x []float32) (float64, bool) { return 0, false }

func firstAboveArch(x []float32, v float32) (int, bool) { return 0, false }
