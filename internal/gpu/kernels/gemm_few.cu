// Products with few rows on the left, as in decoding: up to 8 rows [m, k] times a matrix that is read once, in float32 or in
// bfloat16, which is half as much to read. The arithmetic is float32's.
#include "epilogue.cuh"

#define MOST 8

// few_store finishes the sums of column j, of which every warp w of 8 has a part at scratch[w][row][lane].
DEVICE void few_store(float *c, int cs, float (*scratch)[MOST][32], const float (&acc)[MOST], int m, int n, int j, const Epilogue &e) {
#pragma unroll
  for (int i = 0; i < MOST; i++) scratch[warp()][i][lane()] = acc[i];
  barrier();
  int i = warp();
  if (i >= m || j >= n) return;
  float s = 0.0f;
  for (int w = 0; w < 8; w++) s += scratch[w][i][lane()];
  c[(i64)i * cs + j] = finish(e, s, i, j);
}

DEVICE float number(float x) { return x; }
DEVICE float number(unsigned short x) { return __builtin_bit_cast(float, (u32)x << 16); }

// few_n: b is [k, n]; a block has 32 columns, and each of its 8 warps an eighth of the depth.
template <typename T> DEVICE void few_n(float *c, int cs, const float *a, int as, const T *b, int bs, int m, int n, int k, const Epilogue &e) {
  SHARED float scratch[8][MOST][32];
  int j = bx() * 32 + lane();
  float acc[MOST] = {};
  if (j < n)
    for (int l = warp(); l < k; l += 8) {
      float x = number(b[(i64)l * bs + j]);
#pragma unroll
      for (int i = 0; i < MOST; i++)
        if (i < m) acc[i] += a[(i64)i * as + l] * x;
    }
  few_store(c, cs, scratch, acc, m, n, j, e);
}

// few_t: b is [n, k]; a warp has one column at a time, four in all, its lanes walk along the depth.
template <typename T> DEVICE void few_t(float *c, int cs, const float *a, int as, const T *b, int bs, int m, int n, int k, const Epilogue &e) {
  for (int q = 0; q < 4; q++) {
    int j = bx() * 32 + warp() * 4 + q;
    if (j >= n) return;
    float acc[MOST] = {};
    for (int l = lane(); l < k; l += 32) {
      float x = number(b[(i64)j * bs + l]);
#pragma unroll
      for (int i = 0; i < MOST; i++)
        if (i < m) acc[i] += a[(i64)i * as + l] * x;
    }
    float mine = 0.0f; // lane i keeps the sum of row i
#pragma unroll
    for (int i = 0; i < MOST; i++) {
      float s = warp_sum(acc[i]);
      if (lane() == i) mine = s;
    }
    if (lane() < m) c[(i64)lane() * cs + j] = finish(e, mine, lane(), j);
  }
}

#define FEW(name, body, type)                                                                                                  \
  KERNEL THREADS(256) name(float *c, int cs, const float *a, int as, const type *b, int bs, int m, int n, int k, EPILOGUE_PARAMS) { \
    body(c, cs, a, as, b, bs, m, n, k, EPILOGUE_ARGS);                                                                         \
  }
FEW(gemm_few_n, few_n, float)
FEW(gemm_few_t, few_t, float)
FEW(gemm_few_n_bf16, few_n, unsigned short)
FEW(gemm_few_t_bf16, few_t, unsigned short)
