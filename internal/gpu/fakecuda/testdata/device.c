/* Devices, the primary context, streams and events. */
#include "fake.h"
#include <stdarg.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread CUcontext current;
static __thread const char *calling;
static int ready;

struct CUctx_st primary = {CONTEXT, 0};
CUstream streams;
int live[8];
CUresult broken;

/* Failing on purpose: FAKECUDA_FAIL=call:number:error has that call fail when it is made for the number-th time. */
static CUresult on_purpose(const char *call) {
	static int count;
	const char *want = getenv("FAKECUDA_FAIL");
	size_t n = strlen(call);
	int number, error;
	if (!want || strncmp(want, call, n) || want[n] != ':' || sscanf(want + n + 1, "%d:%d", &number, &error) != 2) return 0;
	return ++count == number ? error : 0;
}

/* What was called how often, for FAKECUDA_LOG. */
static struct { const char *call; long n; } counts[64];
static void tell(void) {
	const char *name = getenv("FAKECUDA_LOG");
	FILE *f = name ? fopen(name, "w") : NULL;
	for (int i = 0; f && counts[i].call; i++) fprintf(f, "%s %ld\n", counts[i].call, counts[i].n);
	if (f) fclose(f);
}

static void count(const char *call) {
	static long total;
	int i = 0;
	while (counts[i].call && counts[i].call != call) i++;
	counts[i].call = call;
	counts[i].n++;
	if (++total % 256 == 0) tell(); /* a program that just ends says nothing */
}
CUresult begin(const char *call, int wants_context) {
	pthread_mutex_lock(&lock);
	calling = call;
	count(call);
	CUresult r = on_purpose(call);
	if (r) return r;
	if (!ready) return wrong(CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
	if (broken) return broken;
	if (!wants_context) return 0;
	if (!current) return wrong(CUDA_ERROR_INVALID_CONTEXT, "no context is current in this thread");
	if (!primary.users) return wrong(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the context that is current in this thread is gone");
	return 0;
}
CUresult end(CUresult r) { pthread_mutex_unlock(&lock); return r; }

CUresult wrong(CUresult r, const char *format, ...) {
	va_list a;
	va_start(a, format);
	fprintf(stderr, "fake libcuda: %s: ", calling);
	vfprintf(stderr, format, a);
	fprintf(stderr, "\n");
	va_end(a);
	return r;
}

CUresult unsafe(void) {
	for (CUstream s = streams; s; s = s->next)
		if (s->capturing && pthread_equal(s->by, pthread_self())) {
			s->capturing = 2;
			return wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "not while this thread captures");
		}
	return 0;
}

work *waiting(int (*is)(const work *, const void *), const void *what) {
	for (CUstream s = streams; s; s = s->next)
		for (work *w = s->works.first; w; w = w->next)
			if (is(w, what)) return w;
	return NULL;
}

CUresult usable(CUstream s) {
	if (!IS(s, STREAM)) return wrong(CUDA_ERROR_INVALID_HANDLE, "no stream; the default stream is not ours to use");
	return 0;
}

CUresult cuInit(unsigned flags) {
	pthread_mutex_lock(&lock);
	calling = __func__;
	count(calling);
	if (flags) return end(wrong(CUDA_ERROR_INVALID_VALUE, "flags must be 0"));
	if (!ready) connect_device();
	ready = 1;
	return end(0);
}
CUresult cuDriverGetVersion(int *v) { *v = 12080; return 0; }
CUresult cuGetErrorString(CUresult r, const char **s) {
	*s = r == CUDA_ERROR_OUT_OF_MEMORY ? "out of memory" : r == CUDA_ERROR_ILLEGAL_ADDRESS ? "an illegal memory access was encountered" : NULL;
	return *s ? 0 : CUDA_ERROR_INVALID_VALUE;
}
CUresult cuDeviceGetCount(int *n) { BEGIN(0); *n = 1; return end(0); }
static CUresult device(CUdevice d) { return d ? wrong(CUDA_ERROR_INVALID_DEVICE, "device %d", d) : 0; }
CUresult cuDeviceGet(CUdevice *d, int n) { BEGIN(0); TRY(device(n)); *d = 0; return end(0); }
CUresult cuDeviceGetName(char *s, int n, CUdevice d) { BEGIN(0); TRY(device(d)); snprintf(s, n, "pretended GPU"); return end(0); }
CUresult cuDeviceTotalMem(size_t *n, CUdevice d) { BEGIN(0); TRY(device(d)); *n = (size_t)4 << 30; return end(0); }
CUresult cuDeviceGetAttribute(int *v, CUdevice_attribute a, CUdevice d) {
	BEGIN(0);
	TRY(device(d));
	switch (a) {
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *v = 9; break;
	case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *v = 0; break;
	case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: *v = 227 << 10; break;
	case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED: *v = !getenv("FAKECUDA_NO_POOLS"); break;
	default: return end(wrong(CUDA_ERROR_INVALID_VALUE, "attribute %d is not known here", a));
	}
	return end(0);
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *c, CUdevice d) {
	BEGIN(0);
	TRY(device(d));
	primary.users++;
	*c = &primary;
	return end(0);
}
CUresult cuDevicePrimaryCtxRelease(CUdevice d) {
	static const char *names[] = {"", "", "streams", "events", "modules", "", "graphs", "executable graphs"};
	BEGIN(0);
	TRY(device(d));
	if (!primary.users) return end(wrong(CUDA_ERROR_INVALID_CONTEXT, "the context was not retained"));
	tell();
	if (--primary.users) return end(0);
	for (int i = 0; i < 8; i++)
		if (live[i]) wrong(0, "%d %s are left at the end of the context", live[i], names[i]);
	if (pinned(NULL, 0)) wrong(0, "page-locked memory is left at the end of the context");
	return end(0);
}
CUresult cuCtxSetCurrent(CUcontext c) {
	BEGIN(0);
	if (c && (!IS(c, CONTEXT) || !primary.users)) return end(wrong(CUDA_ERROR_INVALID_CONTEXT, "no context"));
	current = c;
	return end(0);
}

CUresult cuStreamCreate(CUstream *s, unsigned flags) {
	BEGIN(1);
	TRY(unsafe());
	if (flags > CU_STREAM_NON_BLOCKING) return end(wrong(CUDA_ERROR_INVALID_VALUE, "flags %u", flags));
	*s = calloc(1, sizeof **s);
	(*s)->what = STREAM;
	(*s)->next = streams;
	streams = *s;
	live[STREAM - CONTEXT + 1]++;
	return end(0);
}
CUresult cuStreamDestroy(CUstream s) {
	BEGIN(1);
	TRY(usable(s));
	if (s->capturing) return end(wrong(CUDA_ERROR_INVALID_VALUE, "the stream is being captured"));
	CUresult r = run_until(s, s->asked);
	clear_list(&s->works);
	CUstream *at = &streams;
	while (*at != s) at = &(*at)->next;
	*at = s->next;
	s->what = 0; /* not freed, so that use of it is seen */
	live[STREAM - CONTEXT + 1]--;
	return end(r);
}
CUresult cuStreamSynchronize(CUstream s) {
	BEGIN(1);
	TRY(usable(s));
	TRY(unsafe());
	if (s->capturing) { s->capturing = 2; return end(wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured")); }
	return end(run_until(s, s->asked));
}

CUresult cuEventCreate(CUevent *e, unsigned flags) {
	BEGIN(1);
	if (flags & ~7u) return end(wrong(CUDA_ERROR_INVALID_VALUE, "flags %u", flags));
	*e = calloc(1, sizeof **e);
	(*e)->what = EVENT;
	live[EVENT - CONTEXT + 1]++;
	return end(0);
}
CUresult cuEventRecord(CUevent e, CUstream s) {
	BEGIN(1);
	if (!IS(e, EVENT)) return end(wrong(CUDA_ERROR_INVALID_HANDLE, "no event"));
	TRY(usable(s));
	if (s->capturing) return end(wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured"));
	e->s = s;
	e->behind = s->asked;
	return end(0);
}
CUresult cuEventSynchronize(CUevent e) { /* of an event that was never recorded: at once */
	BEGIN(1);
	if (!IS(e, EVENT)) return end(wrong(CUDA_ERROR_INVALID_HANDLE, "no event"));
	TRY(unsafe());
	return end(IS(e->s, STREAM) ? run_until(e->s, e->behind) : 0);
}
CUresult cuEventDestroy(CUevent e) {
	BEGIN(1);
	if (!IS(e, EVENT)) return end(wrong(CUDA_ERROR_INVALID_HANDLE, "no event"));
	e->what = 0;
	live[EVENT - CONTEXT + 1]--;
	return end(0);
}
