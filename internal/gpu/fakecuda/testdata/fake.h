/* A libcuda.so.1 that holds a program to the documentation of CUDA's driver interface. Kernels run, and device memory lies, in another process
   (main.go). What a stream is asked for happens as late as may be, when somebody waits for it, so that host memory used again too
   early, or read too early, shows. */
#pragma once
#include <cuda.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* rpc.c */
enum { LOAD = 1, ALLOC, FREE, UPLOAD, DOWNLOAD, CLEAR, KERNEL, LAUNCH, ROOM };
void connect_device(void);
/* ask gives 0, or 1 with the reason in reason. out has room for n bytes. */
int ask(uint64_t op, uint64_t a, uint64_t b, const void *text, uint64_t bytes, uint64_t *value, void *out, uint64_t n);
extern char reason[1024];

/* Every handle begins with what it is. */
enum { CONTEXT = 0xc0de01, STREAM, EVENT, MODULE, FUNCTION, GRAPH, EXEC };
struct CUctx_st { int what, users; };
struct CUevent_st { int what; CUstream s; uint64_t behind; };
struct CUmod_st { int what; };
struct CUfunc_st {
	int what, threads, fixed, dynamic, params, size[64], used;
	CUmodule m;
	char name[120];
	struct CUfunc_st *next;
};

/* A piece of work of the stream. */
enum { COPY_IN, COPY_OUT, SET, RUN, GIVE_BACK };
typedef struct work {
	int kind;
	uint64_t device, bytes, n[7 + 64];
	char *host;
	CUfunction f;
	struct work *next;
} work;
typedef struct { work *first, **last; } list;
struct CUgraph_st { int what; list works; };
struct CUgraphExec_st { int what; list works; };
struct CUstream_st {
	int what;
	list works;
	uint64_t asked, done; /* pieces of work */
	int capturing; /* 2 where something illegal was asked meanwhile */
	pthread_t by;
	list captured;
	CUstream next;
};

void append(list *l, const work *w);
void clear_list(list *l);
/* run_until does the stream's work up to a number. */
CUresult run_until(CUstream s, uint64_t until);

extern struct CUctx_st primary;
extern CUstream streams;
extern int live[8]; /* handles that are there, by what they are */
extern CUresult broken; /* what every call answers once a kernel failed */

/* begin is the start of every call: it takes the lock and answers what the call has to answer without doing anything. */
CUresult begin(const char *call, int wants_context);
CUresult end(CUresult r);
/* wrong reports a breach of the documentation. */
CUresult wrong(CUresult r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* unsafe is for calls that must not be made by a thread that captures (CU_STREAM_CAPTURE_MODE_THREAD_LOCAL). */
CUresult unsafe(void);
/* waiting is a piece of work, not done yet, for which is tells 1 of what is given. */
work *waiting(int (*is)(const work *, const void *), const void *what);
/* pinned tells whether host memory is page-locked. */
int pinned(const void *p, size_t n);
CUresult usable(CUstream s);

#define BEGIN(context) do { CUresult r_ = begin(__func__, context); if (r_) return end(r_); } while (0)
#define TRY(x) do { CUresult r_ = (x); if (r_) return end(r_); } while (0)
#define IS(h, kind) ((h) && *(int *)(h) == (kind))
