//go:build !noasm && !race

package amxemu

import (
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// carriedOut counts instructions.
var carriedOut atomic.Uint64

// Count is how many instructions have been carried out so far.
func Count() uint64 { return carriedOut.Load() }

// sigaction is the kernel's struct of that name.
type sigaction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

const saRestorer = 0x04000000

// before is the handler that was there, Go's; it gets what is not ours.
var before sigaction

// Install makes the instructions of AMX and of AVX512-BF16 work in this process and tells whether it could: the processor has
// AVX-512, with which they are carried out, and no AMX of its own.
var Install = sync.OnceValue(func() bool {
	if !cpu.X86.HasAVX512F || cpu.X86.HasAMXTile {
		return false
	}
	findRegisters()
	if !swapAction(nil, &before) {
		return false
	}
	ours := before // keeps SA_ONSTACK and SA_SIGINFO
	ours.handler, ours.restorer = handlers()
	ours.flags |= saRestorer
	ours.mask = ^uint64(0)
	return swapAction(&ours, nil)
})

// swapAction sets SIGILL's action to next and leaves the old one in old; either may be nil.
func swapAction(next, old *sigaction) bool {
	_, _, e := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGILL),
		uintptr(unsafe.Pointer(next)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(next.mask), 0, 0)
	return e == 0
}

// handlers are the addresses of the two functions the kernel jumps to: the handler and what ends it.
func handlers() (handler, restorer uintptr)
