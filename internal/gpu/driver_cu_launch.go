//go:build gpu

package gpu

/*
#include <cuda.h>

static CUresult allow_shared(CUfunction f, int n) { return cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, n); }
static CUresult begin_capture(CUstream s) { return cuStreamBeginCapture(s, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL); }
// end_capture makes the graph runnable, or throws it away where keep is 0.
static CUresult end_capture(CUstream s, CUgraphExec *x, int keep) {
	CUgraph g = NULL;
	CUresult r = cuStreamEndCapture(s, &g);
	if (r == CUDA_SUCCESS && keep) r = cuGraphInstantiateWithFlags(x, g, 0);
	if (g) cuGraphDestroy(g);
	return r;
}
*/
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/clipcap-go/clipcap/internal/gpu/cublas"
)

// sharedFree is the dynamic shared memory that a block has without asking: 48 KiB, less what a kernel of ours that has some may have besides.
const sharedFree = 32 << 10

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
