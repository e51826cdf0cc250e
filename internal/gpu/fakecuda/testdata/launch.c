/* Modules, kernels, capture and graphs, and the stream's work. */
#include "fake.h"

static CUfunction functions;

void append(list *l, const work *w) {
	work *x = malloc(sizeof *x);
	*x = *w;
	x->next = NULL;
	if (!l->first) l->last = &l->first;
	*l->last = x;
	l->last = &x->next;
}
void clear_list(list *l) {
	for (work *w = l->first, *next; w; w = next) { next = w->next; free(w); }
	l->first = NULL;
}
static void copy_list(list *to, const list *from) {
	for (work *w = from->first; w; w = w->next) append(to, w);
}

static int run(work *w) {
	switch (w->kind) {
	case COPY_IN: return ask(UPLOAD, w->device, 0, w->host, w->bytes, NULL, NULL, 0);
	case COPY_OUT: return ask(DOWNLOAD, w->device, w->bytes, NULL, 0, NULL, w->host, w->bytes);
	case SET: return ask(CLEAR, w->device, w->bytes, NULL, 0, NULL, NULL, 0);
	case GIVE_BACK: return ask(FREE, w->device, 0, NULL, 0, NULL, NULL, 0);
	}
	char text[sizeof w->n + sizeof w->f->name];
	size_t n = 8 * (7 + w->f->params), m = strlen(w->f->name);
	memcpy(text, w->n, n);
	memcpy(text + n, w->f->name, m);
	return ask(LAUNCH, w->f->params, 0, text, n + m, NULL, NULL, 0);
}
CUresult run_until(CUstream s, uint64_t until) {
	while (s->done < until) {
		work *w = s->works.first;
		if (run(w)) { /* on a GPU too this shows at some later call, and at all after it */
			wrong(0, "%s: %s", w->kind == RUN ? w->f->name : "a copy", reason);
			return broken = CUDA_ERROR_ILLEGAL_ADDRESS;
		}
		if (!(s->works.first = w->next)) s->works.last = &s->works.first;
		free(w);
		s->done++;
	}
	return 0;
}

CUresult cuModuleLoadDataEx(CUmodule *m, const void *image, unsigned n, CUjit_option *options, void **values) {
	BEGIN(1);
	TRY(unsafe());
	char *log = NULL;
	size_t room = 0;
	for (unsigned i = 0; i < n; i++) {
		if (options[i] == CU_JIT_ERROR_LOG_BUFFER) log = values[i];
		else if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) room = (size_t)values[i];
		else return end(wrong(CUDA_ERROR_INVALID_VALUE, "option %d is not known here", options[i]));
	}
	if (ask(LOAD, 0, 0, image, strlen(image), NULL, NULL, 0)) {
		if (log && room) snprintf(log, room, "%s", reason);
		return end(CUDA_ERROR_INVALID_PTX);
	}
	*m = calloc(1, sizeof **m);
	(*m)->what = MODULE;
	live[MODULE - CONTEXT + 1]++;
	return end(0);
}
CUresult cuModuleLoadData(CUmodule *m, const void *image) { return cuModuleLoadDataEx(m, image, 0, NULL, NULL); }
static int of(const work *w, const void *m) { return w->kind == RUN && w->f->m == m; }
CUresult cuModuleUnload(CUmodule m) {
	BEGIN(1);
	TRY(unsafe());
	if (!IS(m, MODULE)) return end(wrong(CUDA_ERROR_INVALID_HANDLE, "no module"));
	work *w = waiting(of, m);
	if (w) return end(wrong(CUDA_ERROR_INVALID_VALUE, "a launch of %s waits", w->f->name));
	m->what = 0;
	for (CUfunction f = functions; f; f = f->next)
		if (f->m == m) f->what = 0; /* they go with it */
	live[MODULE - CONTEXT + 1]--;
	return end(0);
}
CUresult cuModuleGetFunction(CUfunction *out, CUmodule m, const char *name) {
	BEGIN(1);
	if (!IS(m, MODULE)) return end(wrong(CUDA_ERROR_INVALID_HANDLE, "no module"));
	uint64_t about[66], bytes;
	if (ask(KERNEL, 0, 0, name, strlen(name), &bytes, about, sizeof about)) return end(CUDA_ERROR_NOT_FOUND);
	CUfunction f = calloc(1, sizeof *f);
	*f = (struct CUfunc_st){.what = FUNCTION, .threads = about[0], .fixed = about[1], .dynamic = (48 << 10) - (int)about[1], .params = bytes / 8 - 2, .m = m, .next = functions};
	for (int i = 0; i < f->params; i++) f->size[i] = about[2 + i];
	snprintf(f->name, sizeof f->name, "%s", name);
	*out = functions = f;
	return end(0);
}
CUresult cuFuncSetAttribute(CUfunction f, CUfunction_attribute a, int v) {
	BEGIN(1);
	if (!IS(f, FUNCTION)) return end(wrong(CUDA_ERROR_INVALID_HANDLE, "no function"));
	if (a != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || v < 0 || v + f->fixed > 227 << 10)
		return end(wrong(CUDA_ERROR_INVALID_VALUE, "%s: attribute %d to %d, with %d bytes of its own", f->name, a, v, f->fixed));
	f->dynamic = v;
	return end(0);
}

CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, CUstream s, void **params, void **extra) {
	BEGIN(1);
	if (!IS(f, FUNCTION)) return end(wrong(CUDA_ERROR_INVALID_HANDLE, "no function"));
	TRY(usable(s));
	if (!gx || !gy || !gz || gx > 0x7fffffff || gy > 65535 || gz > 65535 || !bx || !by || !bz || bx > 1024 || by > 1024 || bz > 64 || (uint64_t)bx * by * bz > 1024)
		return end(wrong(CUDA_ERROR_INVALID_VALUE, "%s: grid %u %u %u, block %u %u %u", f->name, gx, gy, gz, bx, by, bz));
	if (f->threads && bx * by * bz > (unsigned)f->threads)
		return end(wrong(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "%s: %u threads, compiled for %d", f->name, bx * by * bz, f->threads));
	if ((int)shared > f->dynamic)
		return end(wrong(CUDA_ERROR_INVALID_VALUE, "%s: %u bytes of shared memory, %d are allowed", f->name, shared, f->dynamic));
	if (!params || extra) return end(wrong(CUDA_ERROR_INVALID_VALUE, "%s: parameters must be a list", f->name));
	work w = {RUN};
	uint64_t n[7] = {gx, gy, gz, bx, by, bz, shared};
	memcpy(w.n, n, sizeof n);
	w.f = f;
	for (int i = 0; i < f->params; i++) {
		if (!params[i] || (uintptr_t)params[i] % f->size[i]) return end(wrong(CUDA_ERROR_INVALID_VALUE, "%s: parameter %d is at %p", f->name, i, params[i]));
		memcpy(&w.n[7 + i], params[i], f->size[i]);
	}
	if (!s->capturing) {
		f->used = 1;
		append(&s->works, &w);
		s->asked++;
		return end(0);
	}
	if (!pthread_equal(s->by, pthread_self())) return end(wrong(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "%s", f->name));
	if (!f->used) /* with lazy loading that may need what a capture forbids */
		{ s->capturing = 2; return end(wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "%s was never launched before this capture", f->name)); }
	append(&s->captured, &w);
	return end(0);
}

CUresult cuStreamBeginCapture(CUstream s, CUstreamCaptureMode mode) {
	BEGIN(1);
	TRY(usable(s));
	if (mode != CU_STREAM_CAPTURE_MODE_THREAD_LOCAL) return end(wrong(CUDA_ERROR_NOT_SUPPORTED, "mode %d", mode));
	if (s->capturing) return end(wrong(CUDA_ERROR_ILLEGAL_STATE, "the stream is being captured"));
	s->capturing = 1;
	s->by = pthread_self();
	return end(0);
}
CUresult cuStreamEndCapture(CUstream s, CUgraph *g) {
	BEGIN(1);
	TRY(usable(s));
	int how = s->capturing;
	*g = NULL;
	if (!how) return end(wrong(CUDA_ERROR_ILLEGAL_STATE, "nothing is being captured"));
	if (!pthread_equal(s->by, pthread_self())) return end(wrong(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "another thread began the capture"));
	s->capturing = 0;
	if (how == 1) {
		*g = calloc(1, sizeof **g);
		(*g)->what = GRAPH;
		copy_list(&(*g)->works, &s->captured);
		live[GRAPH - CONTEXT + 1]++;
	}
	clear_list(&s->captured);
	return end(how == 1 ? 0 : CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec *x, CUgraph g, unsigned long long flags) {
	BEGIN(1);
	TRY(unsafe());
	if (!IS(g, GRAPH) || flags) return end(wrong(CUDA_ERROR_INVALID_VALUE, "graph %p, flags %llu", (void *)g, flags));
	*x = calloc(1, sizeof **x);
	(*x)->what = EXEC;
	copy_list(&(*x)->works, &g->works);
	live[EXEC - CONTEXT + 1]++;
	return end(0);
}
CUresult cuGraphUpload(CUgraphExec x, CUstream s) {
	BEGIN(1);
	TRY(usable(s));
	if (!IS(x, EXEC)) return end(wrong(CUDA_ERROR_INVALID_VALUE, "no executable graph"));
	return end(s->capturing ? wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured") : 0);
}
CUresult cuGraphLaunch(CUgraphExec x, CUstream s) {
	BEGIN(1);
	TRY(usable(s));
	if (!IS(x, EXEC)) return end(wrong(CUDA_ERROR_INVALID_VALUE, "no executable graph"));
	if (s->capturing) return end(wrong(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured"));
	for (work *w = x->works.first; w; w = w->next, s->asked++) append(&s->works, w);
	return end(0);
}
CUresult cuGraphDestroy(CUgraph g) {
	BEGIN(1);
	if (!IS(g, GRAPH)) return end(wrong(CUDA_ERROR_INVALID_VALUE, "no graph"));
	clear_list(&g->works);
	g->what = 0;
	live[GRAPH - CONTEXT + 1]--;
	return end(0);
}
CUresult cuGraphExecDestroy(CUgraphExec x) { /* what was launched goes on */
	BEGIN(1);
	if (!IS(x, EXEC)) return end(wrong(CUDA_ERROR_INVALID_VALUE, "no executable graph"));
	clear_list(&x->works);
	x->what = 0;
	live[EXEC - CONTEXT + 1]--;
	return end(0);
}
