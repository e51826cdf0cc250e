//go:build gpu

package gpu

/*
#include <cuda.h>

static CUresult pinned(void **p, size_t n) { return cuMemHostAlloc(p, n, 0); }
*/
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
)

// stageBytes is the size of each of the two stretches of pinned memory that copies go through.
const stageBytes = 8 << 20

// stages makes the pinned memory and its events.
func (d *cuDriver) stages() (err error) {
	for i := range d.stage {
		if err := check(C.pinned(&d.stage[i], stageBytes)); err != nil {
			return fmt.Errorf("pinned memory: %w", err)
		}
		if d.free[i], err = cu.MakeEvent(cu.DisableTiming); err != nil {
			return err
		}
	}
	return nil
}

func (d *cuDriver) Room() (int64, error) {
	done, err := d.bind()
	defer done()
	if err == nil {
		err = d.stream.Synchronize() // or what was freed does not count yet
	}
	if err != nil {
		return 0, err
	}
	free, _, err := cu.MemInfo()
	return free, err
}

func (d *cuDriver) Alloc(bytes int) (Ptr, error) {
	done, err := d.bind()
	defer done()
	if err != nil {
		return 0, err
	}
	var p C.CUdeviceptr
	if d.pools {
		err = check(C.cuMemAllocAsync(&p, C.size_t(bytes), d.s()))
	} else {
		err = check(C.cuMemAlloc(&p, C.size_t(bytes)))
	}
	return Ptr(p), err
}

func (d *cuDriver) Free(p Ptr) error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	if d.pools {
		return check(C.cuMemFreeAsync(C.CUdeviceptr(p), d.s()))
	}
	if err := d.stream.Synchronize(); err != nil {
		return err
	}
	return check(C.cuMemFree(C.CUdeviceptr(p)))
}

// next is the stage to use, when the copy before on it is over.
func (d *cuDriver) next() (int, error) {
	d.turn ^= 1
	return d.turn, d.free[d.turn].Synchronize()
}

func (d *cuDriver) Upload(dst Ptr, src []byte) error {
	done, err := d.bind()
	defer done()
	for err == nil && len(src) > 0 {
		var i int
		if i, err = d.next(); err != nil {
			break
		}
		n := copy(unsafe.Slice((*byte)(d.stage[i]), stageBytes), src)
		if err = cu.MemcpyHtoDAsync(cu.DevicePtr(dst), d.stage[i], int64(n), d.stream); err == nil {
			err = d.free[i].Record(d.stream)
		}
		dst, src = dst+Ptr(n), src[n:]
	}
	return err
}

func (d *cuDriver) Download(dst []byte, src Ptr) error {
	done, err := d.bind()
	defer done()
	for err == nil && len(dst) > 0 {
		var i int
		if i, err = d.next(); err != nil {
			break
		}
		n := min(len(dst), stageBytes)
		if err = cu.MemcpyDtoHAsync(d.stage[i], cu.DevicePtr(src), int64(n), d.stream); err == nil {
			err = d.stream.Synchronize()
		}
		if err == nil {
			copy(dst[:n], unsafe.Slice((*byte)(d.stage[i]), n))
		}
		dst, src = dst[n:], src+Ptr(n)
	}
	return err
}

func (d *cuDriver) Clear(dst Ptr, bytes int) error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	return cu.MemsetD32Async(cu.DevicePtr(dst), 0, int64(bytes/4), d.stream)
}
