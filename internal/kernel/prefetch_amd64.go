//go:build amd64 && !noasm

package kernel

import "unsafe"

// prefetchList has bytes of the listed rows, stride bytes apart from base on, fetched into the nearest cache. Nothing
// waits for them.
func prefetchList(base unsafe.Pointer, list []int32, stride, bytes int) {
	prefetchListed(base, unsafe.SliceData(list), len(list), stride, bytes)
}

//go:noescape
func prefetchListed(base unsafe.Pointer, list *int32, n, stride, bytes int)

// fetchSpan has bytes from at on fetched into the second-level cache.
func fetchSpan(at unsafe.Pointer, bytes int) {
	if n := bytes / cacheLine; n > 0 {
		prefetchLines(at, n)
	}
}

//go:noescape
func prefetchLines(at unsafe.Pointer, n int)
