//go:build amd64 && !noasm

package kernel

func tileRows() int { return 4 }

func (t *tile) f32Arch([]float32) bool { return false }

func (t *tile) pairsArch([]uint16) bool { return false }

func (t *tile) int8Arch([]int8) bool { return false }

func packPanelArch([]float32, *Matrix, int, int, int, int) bool { return false }

func packLeftArch([]float32, *Matrix, int, int, int, int) bool { return false }

func splitPairsArch([]uint16, []float32, bool) bool { return false }

func takePlaneArch([]float32, int) bool { return false }

func widenPairsArch([]float32, []uint16) bool { return false }

func widenInt8Arch([]float32, []int8) bool { return false }

func addRowsArch(_, _, _ []float32) int { return 0 }
