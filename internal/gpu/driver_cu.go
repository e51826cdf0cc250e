//go:build gpu

package gpu

/*
#cgo CFLAGS: -I${SRCDIR}/compat
#cgo LDFLAGS: -lcuda
#include <cuda.h>
#include <stdlib.h>

// clipcap_cuda_missing is there in programs linked by scripts/gpu-build.sh, which start without a driver; it tells what
// kept the driver from being found, or NULL.
extern __attribute__((weak)) const char *clipcap_cuda_missing(void);
static const char *missing(void) { return clipcap_cuda_missing ? clipcap_cuda_missing() : NULL; }

static const char *message(CUresult r) {
	const char *s = NULL;
	cuGetErrorString(r, &s);
	return s ? s : "unknown error";
}
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/clipcap-go/clipcap/internal/gpu/cublas"
)

// cuDriver is the Driver on gorgonia.org/cu: the device's primary context and one stream.
type cuDriver struct {
	device  cu.Device
	ctx     cu.CUContext
	stream  cu.Stream
	module  cu.Module
	loaded  bool
	closed  bool
	info    Info
	kernels map[string]cu.Function
	shared  map[string]int // dynamic shared memory allowed so far, by kernel
	pools   bool           // memory is given out in the stream's order; where a device cannot, as some shared ones, it waits
	blas    *cublas.Library
	noBlas  error

	stage [2]unsafe.Pointer // pinned
	free  [2]cu.Event       // recorded behind the copy that reads or writes a stage
	turn  int
	ptrs  []unsafe.Pointer
}

// OpenCUDA opens GPU number n.
func OpenCUDA(n int) (Driver, error) {
	if m := C.missing(); m != nil {
		return nil, fmt.Errorf("no NVIDIA driver here: %s", C.GoString(m))
	}
	count, err := cu.NumDevices()
	if err != nil {
		return nil, fmt.Errorf("count GPUs: %w", err)
	}
	if n < 0 || n >= count {
		return nil, fmt.Errorf("no GPU number %d: the driver sees %d", n, count)
	}
	d := &cuDriver{kernels: map[string]cu.Function{}, shared: map[string]int{}}
	if err := d.open(n); err != nil {
		return nil, fmt.Errorf("open GPU %d: %w", n, err)
	}
	return d, nil
}

func (d *cuDriver) open(n int) (err error) {
	if d.device, err = cu.GetDevice(n); err != nil {
		return err
	}
	if d.info.Name, err = d.device.Name(); err != nil {
		return err
	}
	if d.info.Memory, err = d.device.TotalMem(); err != nil {
		return err
	}
	major, minor, err := d.device.ComputeCapability()
	if err != nil {
		return err
	}
	if d.info.Compute = 10*major + minor; d.info.Compute < 80 {
		return fmt.Errorf("%s has compute capability %d.%d, want 8.0 or later", d.info.Name, major, minor)
	}
	if d.info.Shared, err = d.device.Attribute(cu.DeviceAttribute(C.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)); err != nil {
		return err
	}
	pools, err := d.device.Attribute(cu.DeviceAttribute(C.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED))
	if err != nil {
		return err
	}
	d.pools = pools != 0
	d.info.Version = cu.Version()
	if d.ctx, err = d.device.RetainPrimaryCtx(); err != nil {
		return err
	}
	done, err := d.bind()
	defer done()
	if err == nil {
		err = d.resources()
	}
	if err != nil {
		d.release()
	}
	return err
}

func (d *cuDriver) resources() (err error) {
	if d.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return err
	}
	return d.stages()
}

// bind makes the context the calling thread's.
func (d *cuDriver) bind() (done func(), err error) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread, cu.SetCurrentContext(d.ctx)
}

func check(r C.CUresult) error {
	if r == C.CUDA_SUCCESS {
		return nil
	}
	err := fmt.Errorf("CUDA error %d: %s", int(r), C.GoString(C.message(r)))
	if r == C.CUDA_ERROR_OUT_OF_MEMORY {
		err = fmt.Errorf("%w: %w", ErrMemory, err)
	}
	return err
}

func (d *cuDriver) s() C.CUstream { return *(*C.CUstream)(unsafe.Pointer(&d.stream)) }

func (d *cuDriver) Info() Info { return d.info }

func (d *cuDriver) Sync() error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	return d.stream.Synchronize()
}

func (d *cuDriver) Close() error {
	if d.closed {
		return nil
	}
	d.closed = true
	done, err := d.bind()
	defer done()
	if err == nil {
		err = d.stream.Synchronize()
	}
	return errors.Join(err, d.release())
}

// release gives back what open took, and leaves the thread without the context, which may be gone then.
func (d *cuDriver) release() error {
	var errs []error
	if d.blas != nil {
		d.blas.Close()
	}
	for i := range d.stage {
		if d.stage[i] != nil {
			errs = append(errs, check(C.cuMemFreeHost(d.stage[i])), cu.DestroyEvent(&d.free[i]))
		}
	}
	if d.loaded {
		errs = append(errs, d.module.Unload())
	}
	if d.stream != (cu.Stream{}) {
		errs = append(errs, d.stream.Destroy())
	}
	return errors.Join(append(errs, cu.SetCurrentContext(cu.CUContext{}), d.device.ReleasePrimaryCtx())...)
}
