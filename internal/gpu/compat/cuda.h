/* CUDA 13 gave some calls new parameters under their old names, and gorgonia.org/cu v0.9.6 makes the old calls. libcuda
   keeps both; this header, found before the toolkit's, names the old ones again. It changes nothing with CUDA 12. */
#pragma once
#include_next <cuda.h>
#if CUDA_VERSION >= 13000
#undef cuCtxCreate
#undef cuMemAdvise
#undef cuMemPrefetchAsync
#undef cuGraphAddDependencies
#undef cuGraphGetEdges
extern CUresult cuCtxCreate_v2(CUcontext *, unsigned int, CUdevice);
extern CUresult cuMemAdvise(CUdeviceptr, size_t, CUmem_advise, CUdevice);
extern CUresult cuMemPrefetchAsync(CUdeviceptr, size_t, CUdevice, CUstream);
extern CUresult cuGraphAddDependencies(CUgraph, const CUgraphNode *, const CUgraphNode *, size_t);
extern CUresult cuGraphGetEdges(CUgraph, CUgraphNode *, CUgraphNode *, size_t *);
#define cuCtxCreate cuCtxCreate_v2
#endif
