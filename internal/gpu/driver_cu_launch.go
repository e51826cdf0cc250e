//go:build gpu

package gpu

/*
#include <cuda.h>
#include <stdlib.h>

static CUresult allow_shared(CUfunction f, int n) { return cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, n); }
static CUresult begin_capture(CUstream s) { return cuStreamBeginCapture(s, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL); }
// end_capture makes the graph runnable, or throws it away where keep is 0.
static CUresult end_capture(CUstream s, CUgraphExec *x, int keep) {
	CUgraph g = NULL;
	CUresult r = cuStreamEndCapture(s, &g);
	if (r == CUDA_SUCCESS && keep) r = cuGraphInstantiateWithFlags(x, g, 0);
	if (g) cuGraphDestroy(g);
	if (r == CUDA_SUCCESS && keep && (r = cuGraphUpload(*x, s)) != CUDA_SUCCESS) { // want of memory shows here, not at the first replay
		cuGraphExecDestroy(*x);
		*x = NULL;
	}
	return r;
}
// load translates a module; log receives what the translation has to say where it fails.
static CUresult load(CUmodule *m, const char *image, char *log, size_t room) {
	CUjit_option names[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)room};
	log[0] = 0;
	return cuModuleLoadDataEx(m, image, 2, names, values);
}
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/clipcap-go/clipcap/internal/gpu/cublas"
)

// sharedFree is the dynamic shared memory that a block has without asking: 48 KiB, less what a kernel of ours that has some may have besides.
const sharedFree = 32 << 10

// logBytes is the room for what the translation of kernels says when it fails.
const logBytes = 4096

func (d *cuDriver) Load(ptx string) error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	image, log := C.CString(ptx), (*C.char)(C.malloc(logBytes))
	defer C.free(unsafe.Pointer(image))
	defer C.free(unsafe.Pointer(log))
	if err := check(C.load((*C.CUmodule)(unsafe.Pointer(&d.module)), image, log, logBytes)); err != nil {
		if text := strings.TrimSpace(C.GoString(log)); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
		return err
	}
	d.loaded = true
	return nil
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

// BlasPlan asks cuBLASLt whether it has a way to do a product.
func (d *cuDriver) BlasPlan(p *cublas.Product) error {
	done, err := d.bind()
	defer done()
	if err != nil {
		return err
	}
	return d.blas.Plan(p)
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
		err = failed
	}
	if err != nil {
		return nil, err
	}
	return x, nil
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
