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

static CUresult allow_shared(CUfunction f, int n) { return cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, n); }
static CUresult pinned(void **p, size_t n) { return cuMemHostAlloc(p, n, 0); }
static CUresult begin_capture(CUstream s) { return cuStreamBeginCapture(s, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL); }
// end_capture makes the graph runnable, or throws it away where keep is 0.
static CUresult end_capture(CUstream s, CUgraphExec *x, int keep) {
	CUgraph g = NULL;
	CUresult r = cuStreamEndCapture(s, &g);
	if (r == CUDA_SUCCESS && keep) r = cuGraphInstantiateWithFlags(x, g, 0);
	if (g) cuGraphDestroy(g);
	return r;
}
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

// stageBytes is the size of each of the two stretches of pinned memory that copies go through.
const stageBytes = 8 << 20

// sharedFree is the dynamic shared memory that a block has without asking: 48 KiB, less what a kernel of ours that has some may have besides.
const sharedFree = 32 << 10

// cuDriver is the Driver on gorgonia.org/cu: the device's primary context and one stream.
type cuDriver struct {
	device  cu.Device
	ctx     cu.CUContext
	stream  cu.Stream
	module  cu.Module
	loaded  bool
	info    Info
	kernels map[string]cu.Function
	shared  map[string]int // dynamic shared memory allowed so far, by kernel
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

func (d *cuDriver) Load(ptx string) error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	if d.module, err = cu.LoadData(ptx); err != nil {
		return err
	}
	d.loaded = true
	return nil
}

func (d *cuDriver) Alloc(bytes int) (Ptr, error) {
	done, err := d.bind()
	defer done()
	if err != nil {
		return 0, err
	}
	var p C.CUdeviceptr
	if err := check(C.cuMemAllocAsync(&p, C.size_t(bytes), d.s())); err != nil {
		return 0, err
	}
	return Ptr(p), nil
}

func (d *cuDriver) Free(p Ptr) error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	return check(C.cuMemFreeAsync(C.CUdeviceptr(p), d.s()))
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

func (d *cuDriver) Launch(l *Launch) error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	return d.launch(l)
}

// Blas looks for cuBLASLt.
func (d *cuDriver) Blas() error {
	if d.blas != nil || d.noBlas != nil {
		return d.noBlas
	}
	done, err := d.bind() // cuBLASLt takes the current context
	defer done()
	if err == nil {
		d.blas, err = cublas.Open()
	}
	d.noBlas = err
	return err
}

func (d *cuDriver) launch(l *Launch) error {
	if l.Kernel == BlasKernel {
		p := BlasProduct(l.Args)
		return d.blas.Run(&p.Product, p.C, p.A, p.B, p.Bias, p.Residual, p.Workspace, unsafe.Pointer(d.s()))
	}
	f, ok := d.kernels[l.Kernel]
	if !ok {
		var err error
		if f, err = d.module.Function(l.Kernel); err != nil {
			return err
		}
		d.kernels[l.Kernel] = f
	}
	if l.Shared > sharedFree && d.shared[l.Kernel] < l.Shared {
		if l.Shared > d.info.Shared {
			return fmt.Errorf("%d bytes of shared memory, %s has %d for a block", l.Shared, d.info.Name, d.info.Shared)
		}
		if err := check(C.allow_shared(*(*C.CUfunction)(unsafe.Pointer(&f)), C.int(l.Shared))); err != nil {
			return err
		}
		d.shared[l.Kernel] = l.Shared
	}
	d.ptrs = d.ptrs[:0]
	for i := range l.Args {
		d.ptrs = append(d.ptrs, unsafe.Pointer(&l.Args[i]))
	}
	return f.Launch(l.Grid[0], l.Grid[1], l.Grid[2], l.Block[0], l.Block[1], l.Block[2], l.Shared, d.stream, d.ptrs)
}

func (d *cuDriver) Capture(ls []Launch) (Graph, error) {
	done, err := d.bind()
	defer done()
	if err != nil {
		return nil, err
	}
	if err := check(C.begin_capture(d.s())); err != nil {
		return nil, err
	}
	var failed error
	for i := range ls {
		if failed = d.launch(&ls[i]); failed != nil {
			break
		}
	}
	keep := C.int(1)
	if failed != nil {
		keep = 0
	}
	var x C.CUgraphExec
	err = check(C.end_capture(d.s(), &x, keep)) // also after a failure, or the stream stays in capture
	if failed != nil {
		return nil, failed
	}
	return x, err
}

func (d *cuDriver) Replay(g Graph) error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	return check(C.cuGraphLaunch(g.(C.CUgraphExec), d.s()))
}

func (d *cuDriver) Drop(g Graph) {
	done, err := d.bind()
	defer done()
	if err == nil {
		C.cuGraphExecDestroy(g.(C.CUgraphExec))
	}
}

func (d *cuDriver) Sync() error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	return d.stream.Synchronize()
}

func (d *cuDriver) Close() error {
	done, err := d.bind()
	defer done()
	if err == nil {
		err = d.stream.Synchronize()
	}
	return errors.Join(err, d.release())
}

// release gives back what open took.
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
	return errors.Join(append(errs, d.device.ReleasePrimaryCtx())...)
}
