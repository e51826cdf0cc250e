//go:build !amd64 || noasm

package kernel

import "unsafe"

// prefetchList does nothing: memory comes when it is read.
func prefetchList(unsafe.Pointer, []int32, int, int) {}

// fetchSpan does nothing.
func fetchSpan(unsafe.Pointer, int) {}
