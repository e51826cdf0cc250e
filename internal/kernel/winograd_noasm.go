//go:build !amd64 || noasm

package kernel

import "unsafe"

func winogradInArch(dst []float32, step int, from *[winogradPlaces]unsafe.Pointer, n int) bool {
	return false
}

func winogradOutArch(to *[4]unsafe.Pointer, src []float32, step int, bias []float32, relu bool) bool {
	return false
}
