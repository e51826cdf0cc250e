//go:build !amd64 || noasm

package kernel

func tileRows() int { return 4 }

func streamRows() int { return tileRows() }

func (t *tile) f32Arch([]float32) bool { return false }

func fetchRows(*float32, int, int) {}

func (t *tile) f32NarrowArch(_ []float32, cols int) bool {
	t.cols = cols
	return false
}

func (t *tile) pairsArch([]uint16) bool { return false }

func (t *tile) int8Arch([]int8) bool { return false }

func besideRows() int { return 4 }

func (t *tile) int8BesideArch([]int8) bool { return false }

func tallRows() int { return 0 }

func widensRows() bool { return false }

func (t *tile) tallPairs([]uint16) { panic("kernel: no tall tiles here") }

func (t *tile) tallInt8([]int8) { panic("kernel: no tall tiles here") }
