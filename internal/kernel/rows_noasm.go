//go:build !amd64 || noasm

package kernel

func dotRowsArch() bool { return false }

func (t *tile) dotArch([]uint16) { panic("kernel: no products of bfloat16 pairs here") }

func pairRow([]float32, []float32) { panic("kernel: no products of bfloat16 pairs here") }
