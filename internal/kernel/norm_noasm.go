//go:build !amd64 || noasm

package kernel

func normArch(y, x Matrix, gain, bias []float32, eps float32, stats *[normStats][2]float32) bool {
	return false
}

func normSumsArch(dy, x, gain, dgain, dbias []float32, c *[4]float32) bool { return false }

func normGradArch(dx, dy, x, gain, add []float32, c *[4]float32) bool { return false }

func normSums2Arch(dx, dy, x *Matrix, i int, gain, dgain, dbias []float32, c *[8]float32) bool {
	return false
}

func normGrad2Arch(dx, dy, x, add *Matrix, i int, gain []float32, c *[8]float32) bool { return false }
