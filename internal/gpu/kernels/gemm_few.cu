// Products with few rows on the left, as in decoding: up to 8 rows [m, k] times a matrix that is read once, in float32, bfloat16 or int8
// with a scale a column of the result. The arithmetic is float32's. What is read of the matrix is 16 bytes a lane (8 of int8), many of
// them under way at a time.
#include "epilogue.cuh"
#include "mma.cuh"

#define MOST 8

// Chunk is how a lane reads P numbers that lie together.
template <typename T> struct Chunk;
template <> struct Chunk<float> {
  static const int P = 4;
  DEVICE void read(float (&x)[P], const float *at) {
    Quad q = *(const Quad *)at;
#pragma unroll
    for (int i = 0; i < P; i++) x[i] = q.x[i];
  }
  DEVICE float one(const float *at) { return *at; }
};
template <> struct Chunk<unsigned short> {
  static const int P = 8;
  DEVICE void read(float (&x)[P], const unsigned short *at) {
    Quad q = *(const Quad *)at;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      u32 w = __builtin_bit_cast(u32, q.x[i]);
      x[2 * i] = __builtin_bit_cast(float, w << 16);
      x[2 * i + 1] = __builtin_bit_cast(float, w & 0xffff0000u);
    }
  }
  DEVICE float one(const unsigned short *at) { return __builtin_bit_cast(float, (u32)*at << 16); }
};
template <> struct Chunk<signed char> {
  static const int P = 8;
  DEVICE void read(float (&x)[P], const signed char *at) {
    Words w = *(const Words *)at;
#pragma unroll
    for (int i = 0; i < 4; i++) {
      x[i] = (float)((int)(w.a << (24 - 8 * i)) >> 24);
      x[4 + i] = (float)((int)(w.b << (24 - 8 * i)) >> 24);
    }
  }
  DEVICE float one(const signed char *at) { return (float)*at; }
};

// chunk is P numbers from at on, of which the first left are there.
template <typename T> DEVICE void chunk(float (&x)[Chunk<T>::P], const T *at, int left, bool wide) {
  if (wide && left >= Chunk<T>::P) {
    Chunk<T>::read(x, at);
    return;
  }
#pragma unroll
  for (int i = 0; i < Chunk<T>::P; i++) x[i] = i < left ? Chunk<T>::one(at + i) : 0.0f;
}

// halve adds sums over the lanes that differ in a bit: a lane keeps the half of them that the bit says.
template <int N, int ALL> DEVICE void halve(float (&acc)[ALL], int bit) {
  bool upper = lane() & bit;
#pragma unroll
  for (int i = 0; i < N / 2; i++) {
    float lo = acc[i], hi = acc[i + N / 2], keep = upper ? hi : lo, give = upper ? lo : hi;
    acc[i] = keep + shfl_xor(give, bit);
  }
}

// few_n: b is [k, n]. ACROSS lanes read neighbouring chunks of a row, the others of a warp other rows, the block's 8 warps others yet.
template <typename T, int ACROSS> DEVICE void few_n(float *c, int cs, const float *a, int as, const T *b, int bs, int m, int n, int k, bool wide,
                                                    const float *scales, const Epilogue &e) {
  const int P = Chunk<T>::P, DOWN = 32 / ACROSS, N = MOST * P, LEFT = N / DOWN;
  SHARED float part[8][LEFT * 32];
  int j0 = bx() * ACROSS * P, j = j0 + lane() % ACROSS * P;
  float acc[N] = {};
#pragma unroll 2
  for (int l = warp() * DOWN + lane() / ACROSS; l < k; l += 8 * DOWN) {
    float x[P];
    chunk<T>(x, b + (i64)l * bs + j, n - j, wide);
#pragma unroll
    for (int i = 0; i < MOST; i++) {
      if (i >= m) continue;
      float y = a[(i64)i * as + l];
#pragma unroll
      for (int p = 0; p < P; p++) acc[i * P + p] += y * x[p];
    }
  }
  halve<N>(acc, 16);
  halve<N / 2>(acc, 8);
  halve<N / 4>(acc, 4);
  if (ACROSS == 2) halve<N / 8>(acc, 2);
#pragma unroll
  for (int r = 0; r < LEFT; r++) part[warp()][r * 32 + lane()] = acc[r];
  barrier();
  if (tid() >= LEFT * 32) return;
  float s = 0.0f;
#pragma unroll
  for (int w = 0; w < 8; w++) s += part[w][tid()];
  int l = lane(), number = warp() + (l >> 4 & 1) * (N / 2) + (l >> 3 & 1) * (N / 4) + (l >> 2 & 1) * (N / 8) + (ACROSS == 2 ? (l >> 1 & 1) * (N / 16) : 0);
  int i = number / P, at = j0 + l % ACROSS * P + number % P;
  if (i < m && at < n) finish_to(c, cs, e, scales ? s * scales[at] : s, i, at);
}

// few_t: b is [n, k]. A warp has four columns of the result, its lanes walk along the depth.
template <typename T> DEVICE void few_t(float *c, int cs, const float *a, int as, const T *b, int bs, int m, int n, int k, bool wide, const float *scales,
                                        const Epilogue &e) {
  const int P = Chunk<T>::P, COLS = 4;
  int j = (bx() * 4 + warp()) * COLS;
  if (j >= n) return;
  float acc[MOST * COLS] = {};
#pragma unroll 1
  for (int l = lane() * P; l < k; l += 32 * P) {
    float x[COLS][P];
#pragma unroll
    for (int q = 0; q < COLS; q++) chunk<T>(x[q], b + (i64)(j + q) * bs + l, j + q < n ? k - l : 0, wide);
#pragma unroll
    for (int i = 0; i < MOST; i++) {
      if (i >= m) continue;
#pragma unroll
      for (int p = 0; p < P; p += 4) {
        float y[4];
        chunk<float>(y, a + (i64)i * as + l + p, k - l - p, wide);
#pragma unroll
        for (int q = 0; q < COLS; q++)
#pragma unroll
          for (int t = 0; t < 4; t++) acc[i * COLS + q] += y[t] * x[q][p + t];
      }
    }
  }
  halve<32>(acc, 16);
  halve<16>(acc, 8);
  halve<8>(acc, 4);
  halve<4>(acc, 2);
  halve<2>(acc, 1);
  int i = lane() / COLS, at = j + lane() % COLS; // the halves were kept in the order of the bits
  if (i < m && at < n) finish_to(c, cs, e, scales ? acc[0] * scales[at] : acc[0], i, at);
}

#define FEW_N(name, type, across)                                                                                              \
  KERNEL THREADS(256)                                                                                                          \
  name(float *c, int cs, const float *a, int as, const type *b, int bs, int m, int n, int k, int wide, const float *scales, EPILOGUE_PARAMS) {  \
    few_n<type, across>(c, cs, a, as, b, bs, m, n, k, wide != 0, scales, EPILOGUE_ARGS);                                       \
  }
#define FEW_T(name, type)                                                                                                      \
  KERNEL THREADS(128)                                                                                                          \
  name(float *c, int cs, const float *a, int as, const type *b, int bs, int m, int n, int k, int wide, const float *scales, EPILOGUE_PARAMS) {  \
    few_t<type>(c, cs, a, as, b, bs, m, n, k, wide != 0, scales, EPILOGUE_ARGS);                                               \
  }
FEW_N(gemm_few_n, float, 2)
FEW_N(gemm_few_n_bf16, unsigned short, 2)
FEW_N(gemm_few_n_int8, signed char, 4)
FEW_T(gemm_few_t, float)
FEW_T(gemm_few_t_bf16, unsigned short)
FEW_T(gemm_few_t_int8, signed char)
