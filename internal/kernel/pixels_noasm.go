//go:build !amd64 || noasm

package kernel

import "unsafe"

// In this build no Rounded lies rounded, so none of these is called.

func (j *roundedPoolJob) row(int) {}

func (b *winogradBlock) rounded() {}

func winogradOutRounded(to [][4]unsafe.Pointer, first, toStep int, src []float32, step, next int, bias []float32, relu bool) {
}
