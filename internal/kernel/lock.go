package kernel

import (
	"runtime"
	"sync/atomic"
)

// spinLock is a mutex for a few instructions at a time. Goroutines that share a kernel come to it at the same moment, and a
// sync.Mutex would put one of them to sleep for longer than its work takes.
type spinLock struct{ taken atomic.Bool }

// Lock waits for the lock.
func (l *spinLock) Lock() {
	for i := 0; !l.taken.CompareAndSwap(false, true); i++ {
		if i < lockSpins {
			pause()
		} else { // whoever has it is not running
			runtime.Gosched()
		}
	}
}

// lockSpins is how often a goroutine looks before it lets others run: a microsecond or so.
const lockSpins = 64

// Unlock gives the lock back.
func (l *spinLock) Unlock() { l.taken.Store(false) }
