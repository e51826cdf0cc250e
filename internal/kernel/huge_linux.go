package kernel

import (
	"syscall"
	"unsafe"
)

const adviceHuge = 14 // MADV_HUGEPAGE

// LargePages asks the system to back what lies of v in whole large pages with such, before v is first written. Weights are
// read from end to end at memory's speed, and in small pages some of it goes into looking addresses up, as
// handing out each small page takes a part of loading them. A refusal changes nothing.
func LargePages(v []float32) {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(v)))
	from, end := (at+hugePage-1)&^(hugePage-1), (at+uintptr(4*len(v)))&^(hugePage-1)
	if end > from {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, end-from, adviceHuge)
	}
}
