//go:build gpu

package cublas

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// What follows is cuBLASLt's interface as its documentation gives it; descriptors are opaque to us.
typedef struct { uint64_t data[8]; } lt_algo;
typedef struct { lt_algo algo; size_t workspace; int state; float waves; int reserved[4]; } lt_found;
typedef void *lt;

enum { R_32F = 0, R_16BF = 14, COMPUTE_32F = 68, COMPUTE_TF32 = 77 };
enum { DESC_TRANSA = 3, DESC_TRANSB = 4, DESC_EPILOGUE = 7, DESC_BIAS = 8, EPILOGUE_BIAS = 4 };
enum { PREF_WORKSPACE = 1, PREF_ALIGN_A = 5 };

typedef struct {
	void *lib;
	lt handle;
	size_t (*version)(void);
	int (*create)(lt *);
	int (*destroy)(lt);
	int (*desc_create)(lt *, int, int);
	int (*desc_set)(lt, int, const void *, size_t);
	int (*desc_destroy)(lt);
	int (*layout_create)(lt *, int, uint64_t, uint64_t, int64_t);
	int (*layout_destroy)(lt);
	int (*pref_create)(lt *);
	int (*pref_set)(lt, int, const void *, size_t);
	int (*pref_destroy)(lt);
	int (*heuristic)(lt, lt, lt, lt, lt, lt, lt, int, lt_found *, int *);
	int (*matmul)(lt, lt, const void *, const void *, lt, const void *, lt, const void *, const void *, lt, void *, lt, const lt_algo *, void *, size_t, void *);
} library;

// open_library gives NULL and a reason where something is missing.
static library *open_library(const char *path, const char **why) {
	static char missing[256];
	// It stays when it is closed: what it brings of CUDA's runtime is bound to the context and to threads that are still there.
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!lib) { *why = dlerror(); return NULL; }
	library *l = calloc(1, sizeof *l);
	l->lib = lib;
	struct { void **at; const char *name; } all[] = {
		{(void **)&l->version, "cublasLtGetVersion"}, {(void **)&l->create, "cublasLtCreate"}, {(void **)&l->destroy, "cublasLtDestroy"},
		{(void **)&l->desc_create, "cublasLtMatmulDescCreate"}, {(void **)&l->desc_set, "cublasLtMatmulDescSetAttribute"}, {(void **)&l->desc_destroy, "cublasLtMatmulDescDestroy"},
		{(void **)&l->layout_create, "cublasLtMatrixLayoutCreate"}, {(void **)&l->layout_destroy, "cublasLtMatrixLayoutDestroy"},
		{(void **)&l->pref_create, "cublasLtMatmulPreferenceCreate"}, {(void **)&l->pref_set, "cublasLtMatmulPreferenceSetAttribute"}, {(void **)&l->pref_destroy, "cublasLtMatmulPreferenceDestroy"},
		{(void **)&l->heuristic, "cublasLtMatmulAlgoGetHeuristic"}, {(void **)&l->matmul, "cublasLtMatmul"}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!(*all[i].at = dlsym(lib, all[i].name))) {
			strcpy(missing, "it has no function ");
			strncat(missing, all[i].name, sizeof missing - 64);
			*why = missing;
			dlclose(lib); free(l);
			return NULL;
		}
	return l;
}
static int start(library *l) { return l->create(&l->handle); }
static size_t version(library *l) { return l->version(); }
static void close_library(library *l) {
	if (l->handle) l->destroy(l->handle);
	dlclose(l->lib);
	free(l);
}

// A plan is a product in cuBLAS's terms: its matrices are column-major, so it computes cᵀ = op(b)ᵀ·op(a)ᵀ.
typedef struct { lt desc, a, b, c, r; lt_algo algo; } plan;

static void drop_plan(library *l, plan *p) {
	if (p->desc) l->desc_destroy(p->desc);
	lt ls[] = {p->a, p->b, p->c, p->r};
	for (int i = 0; i < 4; i++) if (ls[i]) l->layout_destroy(ls[i]);
	free(p);
}

static int make_plan(library *l, plan **out, int64_t m, int64_t n, int64_t k, int ta, int tb, int64_t as, int64_t bs, int64_t cs, int64_t rs,
                     int half, int halfc, int tf32, int bias, const uint32_t align[4], size_t workspace) {
	plan *p = calloc(1, sizeof *p);
	int type = half ? R_16BF : R_32F, result = halfc ? R_16BF : R_32F, r, one = 1, epilogue = EPILOGUE_BIAS, found = 0;
	lt pref = NULL;
	lt_found best;
	memset(&best, 0, sizeof best);
	if ((r = l->desc_create(&p->desc, tf32 ? COMPUTE_TF32 : COMPUTE_32F, R_32F))) goto done;
	if (tb && (r = l->desc_set(p->desc, DESC_TRANSA, &one, sizeof one))) goto done;
	if (ta && (r = l->desc_set(p->desc, DESC_TRANSB, &one, sizeof one))) goto done;
	if (bias && (r = l->desc_set(p->desc, DESC_EPILOGUE, &epilogue, sizeof epilogue))) goto done;
	if ((r = l->layout_create(&p->a, type, tb ? k : n, tb ? n : k, bs))) goto done;
	if ((r = l->layout_create(&p->b, type, ta ? m : k, ta ? k : m, as))) goto done;
	if ((r = l->layout_create(&p->c, result, n, m, cs))) goto done;
	if ((r = l->layout_create(&p->r, result, n, m, rs ? rs : cs))) goto done;
	if ((r = l->pref_create(&pref))) goto done;
	uint64_t bytes = workspace;
	if ((r = l->pref_set(pref, PREF_WORKSPACE, &bytes, sizeof bytes))) goto done;
	uint32_t order[4] = {align[1], align[0], align[3], align[2]}; // cuBLAS's a, b, c, d
	for (int i = 0; i < 4; i++)
		if ((r = l->pref_set(pref, PREF_ALIGN_A + i, &order[i], sizeof order[i]))) goto done;
	if ((r = l->heuristic(l->handle, p->desc, p->a, p->b, p->r, p->c, pref, 1, &best, &found))) goto done;
	if (!found || best.state) { r = found ? best.state : 15; goto done; } // 15: not supported
	p->algo = best.algo;
done:
	if (pref) l->pref_destroy(pref);
	if (r) { drop_plan(l, p); p = NULL; }
	*out = p;
	return r;
}

static int run_plan(library *l, plan *p, uint64_t c, uint64_t a, uint64_t b, uint64_t bias, uint64_t residual, uint64_t workspace, size_t bytes, void *stream) {
	float one = 1, beta = residual ? 1 : 0;
	if (bias) {
		void *at = (void *)bias;
		int r = l->desc_set(p->desc, DESC_BIAS, &at, sizeof at);
		if (r) return r;
	}
	return l->matmul(l->handle, p->desc, &one, (void *)b, p->a, (void *)a, p->b, &beta, (void *)(residual ? residual : c), p->r, (void *)c, p->c, &p->algo,
	                 (void *)workspace, bytes, stream);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"unsafe"
)

// Library is an open cuBLASLt with the context that was current when it was opened. It serves one caller at a time.
type Library struct {
	c     *C.library
	plans map[Product]*C.plan
	name  string
}

// names are the library's, newest first.
var names = []string{"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so"}

// Open finds cuBLASLt: the file CLIPCAP_CUBLAS names, or the newest on the loader's path.
func Open() (*Library, error) {
	if path := os.Getenv("CLIPCAP_CUBLAS"); path != "" {
		return open(path)
	}
	var errs []error
	for _, name := range names {
		l, err := open(name)
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no cuBLASLt (CLIPCAP_CUBLAS names a file, LD_LIBRARY_PATH folders): %w", errors.Join(errs...))
}

func open(path string) (*Library, error) {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	var why *C.char
	c := C.open_library(p, &why)
	if c == nil {
		return nil, fmt.Errorf("%s: %s", path, C.GoString(why))
	}
	if r := C.start(c); r != 0 {
		C.close_library(c)
		return nil, fmt.Errorf("%s: it does not start: %w", path, status(r))
	}
	return &Library{c: c, plans: map[Product]*C.plan{}, name: fmt.Sprintf("%s, version %d", path, uint64(C.version(c)))}, nil
}

// status is cuBLAS's error.
func status(r C.int) error {
	text := map[C.int]string{1: "not initialised", 3: "no memory", 7: "invalid value", 8: "the architecture does not do it", 11: "mapping", 13: "execution failed",
		14: "internal error", 15: "not supported"}[r]
	if text == "" {
		text = "unknown"
	}
	return fmt.Errorf("cuBLAS error %d: %s", int(r), text)
}

// Name tells which library it is.
func (l *Library) Name() string { return l.name }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Plan prepares a product, and fails where the library has no way to do it. It asks nothing of the device.
func (l *Library) Plan(p *Product) error {
	at := l.plans[*p]
	if at == nil {
		var align [4]C.uint32_t
		for i, n := range p.Align {
			align[i] = C.uint32_t(n)
		}
		r := C.make_plan(l.c, &at, C.int64_t(p.M), C.int64_t(p.N), C.int64_t(p.K), flag(p.TransA), flag(p.TransB), C.int64_t(p.A), C.int64_t(p.B), C.int64_t(p.C),
			C.int64_t(p.R), flag(p.Half), flag(p.HalfC), flag(p.TF32), flag(p.Bias), &align[0], Workspace)
		if r != 0 {
			return fmt.Errorf("product %dx%dx%d: %w", p.M, p.K, p.N, status(r))
		}
		l.plans[*p] = at
	}
	return nil
}

// Run queues a product on a stream. bias [n] and residual may be 0 if the product has none; workspace has Workspace bytes.
func (l *Library) Run(p *Product, c, a, b, bias, residual, workspace uint64, stream unsafe.Pointer) error {
	if err := l.Plan(p); err != nil {
		return err
	}
	if r := C.run_plan(l.c, l.plans[*p], C.uint64_t(c), C.uint64_t(a), C.uint64_t(b), C.uint64_t(bias), C.uint64_t(residual), C.uint64_t(workspace), Workspace, stream); r != 0 {
		return fmt.Errorf("product %dx%dx%d: %w", p.M, p.K, p.N, status(r))
	}
	return nil
}

// Close gives everything back.
func (l *Library) Close() {
	for _, p := range l.plans {
		C.drop_plan(l.c, p)
	}
	clear(l.plans)
	C.close_library(l.c)
}
