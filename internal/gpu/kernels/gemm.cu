// The products that are compiled: modes × tile sizes × transpositions, and convolutions as products of patches by the transposed weight.
#include "gemm.cuh"
#include "gemm_copied.cuh"

extern SHARED __attribute__((aligned(128))) float dynamic[];

#define MATRIX(x, transposed, rows, cols, bit) \
  Matrix { x, x##s, transposed ? cols : rows, transposed ? rows : cols, (wide & bit) != 0 }
#define HALVES(x, transposed, rows, cols, bit) \
  Halves { x, x##s, transposed ? cols : rows, transposed ? rows : cols, (wide & bit) != 0 }

// Small tiles whose products take few registers keep four blocks to an SM, which the epilogue alone would not.
#define GEMM(name, mode, bm, bn, wm, wn, stages, ta, tb)                                                                       \
  KERNEL THREADS_BLOCKS((bm / wm) * (bn / wn) * 32, bm == 64 && mode == TF32 ? 4 : 1)                                          \
  name(float *c, int cs, const float *a, int as, const float *b, int bs, int m, int n, int k, int wide, EPILOGUE_PARAMS) {     \
    gemm<mode, Matrix, bm, bn, wm, wn, stages, ta, tb>(dynamic, c, cs, MATRIX(a, ta, m, k, 1), MATRIX(b, tb, k, n, 2), m, n, k, (wide & 4) != 0, EPILOGUE_ARGS);  \
  }
#define GEMM_HALVES(name, bm, bn, wm, wn, ta, tb, left, L, LEFT, type, T, RIGHT)                                                                \
  KERNEL THREADS_BLOCKS((bm / wm) * (bn / wn) * 32, bm == 64 && ta && !tb ? 4 : 1)                                             \
  name(float *c, int cs, const left *a, int as, const type *b, int bs, int m, int n, int k, int wide, EPILOGUE_PARAMS) {       \
    gemm_half<L, T, bm, bn, wm, wn, ta, tb>(dynamic, c, cs, LEFT(a, ta, m, k, 1), RIGHT(b, tb, k, n, 2), m, n, k, (wide & 4) != 0, EPILOGUE_ARGS);  \
  }
#define GEMM_HALF(name, bm, bn, wm, wn, ta, tb, type, T, RIGHT) GEMM_HALVES(name, bm, bn, wm, wn, ta, tb, float, Matrix, MATRIX, type, T, RIGHT)
#define GEMM_COPIED(name, bm, bn, wm, wn, ta, tb)                                                                              \
  KERNEL THREADS_BLOCKS((bm / wm) * (bn / wn) * 32, bm == 64 ? 4 : 1)                                                          \
  name(float *c, int cs, const unsigned short *a, int as, const unsigned short *b, int bs, int m, int n, int k, int wide, EPILOGUE_PARAMS) {  \
    gemm_copied<bm, bn, wm, wn, 4, ta, tb>(dynamic, c, cs, HALVES(a, ta, m, k, 1), HALVES(b, tb, k, n, 2), m, n, k, (wide & 4) != 0, EPILOGUE_ARGS);  \
  }
#define SMALL(name, mode)                                                                                                      \
  GEMM(name##_nn, mode, 64, 64, 32, 32, 2, false, false)                                                                       \
  GEMM(name##_nt, mode, 64, 64, 32, 32, 2, false, true)                                                                        \
  GEMM(name##_tn, mode, 64, 64, 32, 32, 2, true, false)                                                                        \
  GEMM(name##_tt, mode, 64, 64, 32, 32, 2, true, true)
#define SMALL_HALF(ta, tb, n) GEMM_HALF(n, 64, 64, 32, 32, ta, tb, float, Matrix, MATRIX)
#define LARGE_HALF(ta, tb, n) GEMM_HALF(n, 128, 128, 64, 32, ta, tb, float, Matrix, MATRIX)

SMALL(gemm_float32, FLOAT32)
SMALL(gemm_tf32x3, TF32X3)
SMALL(gemm_tf32, TF32)
GEMM(gemm_tf32_large_nn, TF32, 128, 128, 64, 32, 3, false, false)
GEMM(gemm_tf32_large_nt, TF32, 128, 128, 64, 32, 3, false, true)
GEMM(gemm_tf32_large_tn, TF32, 128, 128, 64, 32, 3, true, false)
GEMM(gemm_tf32x3_large_nn, TF32X3, 128, 64, 64, 32, 3, false, false)
GEMM(gemm_tf32x3_large_nt, TF32X3, 128, 64, 64, 32, 3, false, true)
GEMM(gemm_tf32x3_large_tn, TF32X3, 128, 64, 64, 32, 3, true, false)
SMALL_HALF(false, false, gemm_bfloat16_nn)
SMALL_HALF(false, true, gemm_bfloat16_nt)
SMALL_HALF(true, false, gemm_bfloat16_tn)
SMALL_HALF(true, true, gemm_bfloat16_tt)
LARGE_HALF(false, false, gemm_bfloat16_large_nn)
LARGE_HALF(false, true, gemm_bfloat16_large_nt)
LARGE_HALF(true, false, gemm_bfloat16_large_tn)

// The right operand in bfloat16, as weights are that have a copy so.
GEMM_HALF(gemm_bfloat16_nn_bf16, 64, 64, 32, 32, false, false, unsigned short, Halves, HALVES)
GEMM_HALF(gemm_bfloat16_nt_bf16, 64, 64, 32, 32, false, true, unsigned short, Halves, HALVES)
GEMM_HALF(gemm_bfloat16_large_nn_bf16, 128, 128, 64, 32, false, false, unsigned short, Halves, HALVES)
GEMM_HALF(gemm_bfloat16_large_nt_bf16, 128, 128, 64, 32, false, true, unsigned short, Halves, HALVES)

// The left operand in bfloat16, as results that only products read are, or both, which are copied four tiles deep. What is summed over rows may be so on either side.
#define LEFT_HALF(name, ta, tb)                                                                                                \
  GEMM_HALVES(gemm_bfloat16_##name##_bf16l, 64, 64, 32, 32, ta, tb, unsigned short, Halves, HALVES, float, Matrix, MATRIX)     \
  GEMM_COPIED(gemm_bfloat16_##name##_bf16lr, 64, 64, 32, 32, ta, tb)                                                           \
  GEMM_HALVES(gemm_bfloat16_large_##name##_bf16l, 128, 128, 64, 32, ta, tb, unsigned short, Halves, HALVES, float, Matrix, MATRIX)  \
  GEMM_COPIED(gemm_bfloat16_large_##name##_bf16lr, 128, 128, 64, 32, ta, tb)
LEFT_HALF(nn, false, false)
LEFT_HALF(nt, false, true)
LEFT_HALF(tn, true, false)
GEMM_HALF(gemm_bfloat16_tn_bf16, 64, 64, 32, 32, true, false, unsigned short, Halves, HALVES)
GEMM_HALF(gemm_bfloat16_large_tn_bf16, 128, 128, 64, 32, true, false, unsigned short, Halves, HALVES)

// The right operand in int8 with a scale a column of the result, the left in three parts of bfloat16: as exact as float32.
#define GEMM_INT8(name, bm, bn, wm, wn, tb)                                                                                    \
  KERNEL THREADS((bm / wm) * (bn / wn) * 32)                                                                                   \
  name(float *c, int cs, const float *a, int as, const signed char *b, int bs, int m, int n, int k, int wide, const float *scales, EPILOGUE_PARAMS) {  \
    gemm_half<Matrix, Bytes, bm, bn, wm, wn, false, tb, 3>(dynamic, c, cs, MATRIX(a, false, m, k, 1),                          \
                                                           Bytes{b, bs, tb ? n : k, tb ? k : n, (wide & 2) != 0}, m, n, k, (wide & 4) != 0, EPILOGUE_ARGS, scales);  \
  }
GEMM_INT8(gemm_int8_nn, 64, 64, 32, 32, false)
GEMM_INT8(gemm_int8_nt, 64, 64, 32, 32, true)
GEMM_INT8(gemm_int8_large_nn, 128, 128, 64, 32, false)
GEMM_INT8(gemm_int8_large_nt, 128, 128, 64, 32, true)

// In ordinary arithmetic they become float32 on the way to shared memory, with the scale of their row (wide & 8) or column.
#define GEMM_WIDENED(name, tb)                                                                                                 \
  KERNEL THREADS(128)                                                                                                          \
  name(float *c, int cs, const float *a, int as, const signed char *b, int bs, int m, int n, int k, int wide, const float *scales, EPILOGUE_PARAMS) {  \
    Scaled s = {{b, bs, tb ? n : k, tb ? k : n, (wide & 2) != 0}, scales, (wide & 8) != 0};                                    \
    gemm<FLOAT32, Matrix, 64, 64, 32, 32, 2, false, tb>(dynamic, c, cs, MATRIX(a, false, m, k, 1), s, m, n, k, (wide & 4) != 0, EPILOGUE_ARGS);  \
  }
GEMM_WIDENED(gemm_float32_nn_int8, false)
GEMM_WIDENED(gemm_float32_nt_int8, true)

#define CONV_PARAMS(type)                                                                                                      \
  float *y, int ys, const float *x, const type *b, int bs, int m, int n, int depth, int h, int w, int c, int k, int stride, int pad, int oh, int ow, \
      int wide, EPILOGUE_PARAMS
#define PATCHES                                                                                                                \
  Patches { x, h, w, c, k, stride, pad, oh, ow, m, depth, (wide & 1) != 0 }
#define CONV(name, mode)                                                                                                       \
  KERNEL THREADS(128) name(CONV_PARAMS(float)) {                                                                               \
    gemm<mode, Patches, 64, 64, 32, 32, 2, false, true>(dynamic, y, ys, PATCHES, MATRIX(b, true, depth, n, 2), m, n, depth, (wide & 4) != 0, EPILOGUE_ARGS);  \
  }
#define CONV_HALF(name, bm, bn, wm, wn)                                                                                        \
  KERNEL THREADS((bm / wm) * (bn / wn) * 32) name(CONV_PARAMS(unsigned short)) {                                               \
    gemm_half<Patches, Halves, bm, bn, wm, wn, false, true>(dynamic, y, ys, PATCHES, HALVES(b, true, depth, n, 2), m, n, depth, (wide & 4) != 0, EPILOGUE_ARGS);  \
  }
CONV(conv_float32, FLOAT32)
CONV(conv_tf32x3, TF32X3)
CONV_HALF(conv_bfloat16, 64, 64, 32, 32)
CONV_HALF(conv_bfloat16_large, 128, 128, 64, 32)

// conv_grad_w: of a convolution's weight [out, depth], a product of dy's transpose by the same patches.
#define CONV_GRAD_W(name, product)                                                                                             \
  KERNEL THREADS(128) name(float *dw, int dws, const float *dy, int dys, const float *x, int out, int depth, int rows, int h, int w, int c, int k, \
                           int stride, int pad, int oh, int ow, int wide) {                                                    \
    Matrix a = {dy, dys, rows, out, (wide & 2) != 0};                                                                          \
    Patches b = {x, h, w, c, k, stride, pad, oh, ow, rows, depth, (wide & 1) != 0};                                            \
    product(dynamic, dw, dws, a, b, out, depth, rows, (wide & 4) != 0, Epilogue{});                                            \
  }
CONV_GRAD_W(conv_grad_w_float32, (gemm<FLOAT32, Matrix, 64, 64, 32, 32, 2, true, false, Patches>))
CONV_GRAD_W(conv_grad_w_tf32x3, (gemm<TF32X3, Matrix, 64, 64, 32, 32, 2, true, false, Patches>))
CONV_GRAD_W(conv_grad_w_bfloat16, (gemm_half<Matrix, Patches, 64, 64, 32, 32, true, false>))
