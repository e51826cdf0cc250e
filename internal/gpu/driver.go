package gpu

import (
	"errors"
	"fmt"
	"math"
)

// Ptr is an address in device memory; 0 is none.
type Ptr uint64

// Info describes a device.
type Info struct {
	Name   string
	Memory int64 // bytes
	// Shared is the most shared memory a block can have, in bytes.
	Shared int
	// Version is the driver's, as 12040 for CUDA 12.4.
	Version int
	// Compute is the compute capability, as 90 for 9.0.
	Compute int
}

// Launch is one kernel launch. Every argument is 8 bytes, of which the kernel takes as many as it declares: a float is
// given by Float.
type Launch struct {
	Kernel      string
	Grid, Block [3]int
	Shared      int // bytes of dynamic shared memory
	Args        []uint64
}

// possible is nil for a grid and a block that a device takes.
func (l *Launch) possible(i Info) error {
	if l.Kernel == BlasKernel {
		return nil
	}
	g, b := l.Grid, l.Block
	if g[0] < 1 || g[1] < 1 || g[2] < 1 || g[0] > math.MaxInt32 || g[1] > 65535 || g[2] > 65535 || b[0] < 1 || b[0]*b[1]*b[2] > 1024 || l.Shared > i.Shared {
		return fmt.Errorf("launch of %s: grid %v of blocks %v with %d bytes of shared memory", l.Kernel, g, b, l.Shared)
	}
	return nil
}

// Graph is a captured sequence of launches.
type Graph any

// ErrMemory is wrapped by an Alloc that failed for want of memory.
var ErrMemory = errors.New("out of device memory")

// ErrLost is wrapped by the error of the call that the device failed in, and by those of all calls after it: launches may
// not have run, so nothing in the device's memory can be relied on any more.
var ErrLost = errors.New("the GPU is lost to this program")

// Driver is what a Device needs of CUDA. Everything happens in the order of the calls; Download and Sync wait for all
// of it. A Driver serves one caller at a time.
type Driver interface {
	Info() Info
	// Room is the memory that is free, bytes; other programs may be using the device too.
	Room() (int64, error)
	// Load makes the kernels of a module known.
	Load(ptx string) error
	// Alloc gives memory of undefined content.
	Alloc(bytes int) (Ptr, error)
	Free(p Ptr) error
	// Upload copies to the device; src may be used again at once.
	Upload(dst Ptr, src []byte) error
	Download(dst []byte, src Ptr) error
	// Clear sets bytes, a multiple of 4, to zero.
	Clear(dst Ptr, bytes int) error
	Launch(l *Launch) error
	// Capture makes a graph of launches without running them.
	Capture(ls []Launch) (Graph, error)
	Replay(g Graph) error
	// Drop gives a graph's resources back.
	Drop(g Graph)
	Sync() error
	Close() error
}
