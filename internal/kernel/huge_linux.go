package kernel

import (
	"syscall"
	"unsafe"
)

const (
	hugePage   = 2 << 20 // bytes; where the system's large pages have another size, fewer of them fit
	adviceHuge = 14      // MADV_HUGEPAGE
)

// adviseHuge asks the system to back what lies of v in whole large pages with such. Packed weights are
// read from end to end at memory's speed, and in small pages some of it goes into looking addresses up. A refusal
// changes nothing.
func adviseHuge(v []float32) {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(v)))
	from, end := (at+hugePage-1)&^(hugePage-1), (at+uintptr(4*len(v)))&^(hugePage-1)
	if end > from {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, end-from, adviceHuge)
	}
}
