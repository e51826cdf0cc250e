// The products that are compiled: modes × tile sizes × transpositions.
#include "gemm.cuh"

extern SHARED float dynamic[];

#define GEMM(name, mode, bm, bn, wm, wn, stages, ta, tb)                                                                       \
  KERNEL THREADS((bm / wm) * (bn / wn) * 32)                                                                                   \
  name(float *c, int cs, const float *a, int as, const float *b, int bs, int m, int n, int k, int wide, EPILOGUE_PARAMS) {     \
    gemm<mode, bm, bn, wm, wn, stages, ta, tb>(dynamic, c, cs, a, as, b, bs, m, n, k, wide, EPILOGUE_ARGS);                    \
  }
#define SMALL(name, mode)                                                                                                      \
  GEMM(name##_nn, mode, 64, 64, 32, 32, 2, false, false)                                                                       \
  GEMM(name##_nt, mode, 64, 64, 32, 32, 2, false, true)                                                                        \
  GEMM(name##_tn, mode, 64, 64, 32, 32, 2, true, false)                                                                        \
  GEMM(name##_tt, mode, 64, 64, 32, 32, 2, true, true)
#define LARGE(name, mode)                                                                                                      \
  GEMM(name##_large_nn, mode, 128, 128, 64, 32, 3, false, false)                                                               \
  GEMM(name##_large_nt, mode, 128, 128, 64, 32, 3, false, true)                                                                \
  GEMM(name##_large_tn, mode, 128, 128, 64, 32, 3, true, false)

SMALL(gemm_float32, FLOAT32)
SMALL(gemm_tf32x3, TF32X3)
SMALL(gemm_bfloat16, BFLOAT16)
SMALL(gemm_tf32, TF32)
LARGE(gemm_bfloat16, BFLOAT16)
LARGE(gemm_tf32, TF32)
