/* Memory of the device and page-locked memory of the host. */
#include "fake.h"

static struct { char *at; size_t n; } locked[64];

int pinned(const void *p, size_t n) {
	for (int i = 0; i < 64; i++)
		if (locked[i].at && (!p || (char *)p >= locked[i].at && (char *)p + n <= locked[i].at + locked[i].n)) return 1;
	return 0;
}

CUresult cuMemHostAlloc(void **p, size_t n, unsigned flags) {
	BEGIN(1);
	TRY(unsafe());
	if (!n || flags > 7) return end(wrong(CUDA_ERROR_INVALID_VALUE, "%zu bytes, flags %u", n, flags));
	int i = 0;
	while (i < 64 && locked[i].at) i++;
	if (i == 64) return end(wrong(CUDA_ERROR_OUT_OF_MEMORY, "page-locked memory is left in 64 places"));
	locked[i].at = *p = malloc(n);
	locked[i].n = n;
	memset(*p, 0xaa, n);
	return end(0);
}
static int between(const work *w, const void *i) {
	char *at = locked[*(int *)i].at;
	return w->host >= at && w->host < at + locked[*(int *)i].n;
}
CUresult cuMemFreeHost(void *p) {
	BEGIN(1);
	TRY(unsafe());
	for (int i = 0; i < 64; i++)
		if (p && locked[i].at == p) {
			if (waiting(between, &i)) return end(wrong(CUDA_ERROR_INVALID_VALUE, "a copy that was asked for needs it"));
			free(p);
			locked[i].at = NULL;
			return end(0);
		}
	return end(wrong(CUDA_ERROR_INVALID_VALUE, "not from cuMemHostAlloc"));
}

CUresult cuMemGetInfo(size_t *free, size_t *total) {
	BEGIN(1);
	uint64_t n;
	if (ask(ROOM, 0, 0, NULL, 0, &n, NULL, 0)) return end(wrong(CUDA_ERROR_UNKNOWN, "%s", reason));
	*free = n;
	*total = (size_t)4 << 30;
	return end(0);
}

static CUresult allocate(CUdeviceptr *p, size_t n) {
	uint64_t at;
	if (!n) return wrong(CUDA_ERROR_INVALID_VALUE, "no bytes");
	if (ask(ALLOC, n, 0, NULL, 0, &at, NULL, 0)) return CUDA_ERROR_OUT_OF_MEMORY;
	*p = at;
	return 0;
}
CUresult cuMemAlloc(CUdeviceptr *p, size_t n) {
	BEGIN(1);
	TRY(unsafe());
	return end(allocate(p, n));
}
CUresult cuMemFree(CUdeviceptr p) {
	BEGIN(1);
	TRY(unsafe());
	for (CUstream s = streams; s; s = s->next) TRY(run_until(s, s->asked)); /* it waits for all */
	return end(ask(FREE, p, 0, NULL, 0, NULL, NULL, 0) ? wrong(CUDA_ERROR_INVALID_VALUE, "%s", reason) : 0);
}

/* queue takes a piece of work that is not a kernel. */
static CUresult queue(CUstream s, const work *w) {
	CUresult r = usable(s);
	if (r) return r;
	if (s->capturing) { s->capturing = 2; return wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "our captures hold kernels only"); }
	append(&s->works, w);
	s->asked++;
	return 0;
}
CUresult cuMemAllocAsync(CUdeviceptr *p, size_t n, CUstream s) {
	BEGIN(1);
	TRY(usable(s));
	if (getenv("FAKECUDA_NO_POOLS")) return end(wrong(CUDA_ERROR_NOT_SUPPORTED, "the device has no memory pools"));
	if (s->capturing) { s->capturing = 2; return end(wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "memory of a graph is not what was meant")); }
	CUresult r = allocate(p, n);
	if (r) { /* what was freed counts when the stream comes to it, and the pool waits for that */
		TRY(run_until(s, s->asked));
		r = allocate(p, n);
	}
	return end(r);
}
CUresult cuMemFreeAsync(CUdeviceptr p, CUstream s) { BEGIN(1); work w = {GIVE_BACK, p}; return end(queue(s, &w)); }
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t n, CUstream s) {
	BEGIN(1);
	if (!pinned(from, n)) return end(wrong(CUDA_ERROR_INVALID_VALUE, "%zu bytes of the host that are not page-locked", n));
	work w = {COPY_IN, to, n};
	w.host = (char *)from;
	return end(queue(s, &w));
}
CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t n, CUstream s) {
	BEGIN(1);
	if (!pinned(to, n)) return end(wrong(CUDA_ERROR_INVALID_VALUE, "%zu bytes of the host that are not page-locked", n));
	work w = {COPY_OUT, from, n};
	w.host = to;
	return end(queue(s, &w));
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned v, size_t n, CUstream s) {
	BEGIN(1);
	if (to % 4) return end(wrong(CUDA_ERROR_INVALID_VALUE, "address %#llx is no multiple of 4", (unsigned long long)to));
	if (v) return end(wrong(CUDA_ERROR_NOT_SUPPORTED, "a number that is not 0"));
	work w = {SET, to, 4 * n};
	return end(queue(s, &w));
}
