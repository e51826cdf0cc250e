// Attention on tensor cores: what its kernels share. A warp has 16 rows of one head and needs no other: rows of the other side come as
// tiles of 16 from memory straight to fragments, four lanes reading 32 bytes that lie together. Numbers are rounded to bfloat16 on the
// way, sums are float32's. KD is the head's width in steps of 16.
#pragma once
#include "attention.cuh"
#include "mma.cuh"

// Side is a matrix of rows of one head: limit is where its rows end for now. wide: pairs of columns begin on 8 bytes.
struct Side {
  const float *x;
  int stride, dim;
  bool wide;
};

// pair_at is columns j and j+1 of a row in bfloat16, zero where there are none.
DEVICE u32 pair_at(const Side &s, int row, bool there, int j) {
  if (!there || j >= s.dim) return 0;
  const float *p = s.x + (i64)row * s.stride + j;
  if (s.wide) {
    Pair x = *(const Pair *)p;
    return pack_bf16(x.a, x.b);
  }
  return pack_bf16(p[0], j + 1 < s.dim ? p[1] : 0.0f);
}

// load_fragments takes rows [first, first+16) as the left operand.
template <int KD> DEVICE void load_fragments(u32 (&f)[KD][4], const Side &s, int first, int limit) {
  int g = lane() >> 2, q = lane() & 3;
#pragma unroll
  for (int k = 0; k < KD; k++)
#pragma unroll
    for (int h = 0; h < 4; h++) {
      int row = first + g + 8 * (h & 1);
      f[k][h] = pair_at(s, row, row < limit, 16 * k + 2 * q + 8 * (h >> 1));
    }
}

// scores is x = f·sᵀ for rows [t, t+16) of s: x[j][h] is of row g + 8(h/2), column 8j + 2q + h%2.
template <int KD> DEVICE void scores(float (&x)[2][4], const u32 (&f)[KD][4], const Side &s, int t, int limit) {
  int g = lane() >> 2, q = lane() & 3;
#pragma unroll
  for (int j = 0; j < 2; j++) {
#pragma unroll
    for (int h = 0; h < 4; h++) x[j][h] = 0.0f;
    int row = t + 8 * j + g;
#pragma unroll
    for (int k = 0; k < KD; k++) {
      u32 b[2] = {pair_at(s, row, row < limit, 16 * k + 2 * q), pair_at(s, row, row < limit, 16 * k + 2 * q + 8)};
      mma_bf16(x[j], f[k], b);
    }
  }
}

// accumulate is acc += x·s for rows [t, t+16) of s, x as scores leaves it.
template <int KD> DEVICE void accumulate(float (&acc)[2 * KD][4], const float (&x)[2][4], const Side &s, int t, int limit) {
  int g = lane() >> 2, q = lane() & 3;
  u32 a[4];
#pragma unroll
  for (int h = 0; h < 4; h++) a[h] = pack_bf16(x[h >> 1][2 * (h & 1)], x[h >> 1][2 * (h & 1) + 1]);
  const float *p = s.x + (i64)(t + 2 * q) * s.stride + g;
#pragma unroll
  for (int c = 0; c < 2 * KD; c++) {
    u32 b[2];
#pragma unroll
    for (int h = 0; h < 2; h++) {
      int row = t + 2 * q + 8 * h;
      bool in = 8 * c + g < s.dim;
      b[h] = pack_bf16(in && row < limit ? p[8 * h * s.stride + 8 * c] : 0.0f, in && row + 1 < limit ? p[(8 * h + 1) * s.stride + 8 * c] : 0.0f);
    }
    mma_bf16(acc[c], a, b);
  }
}

template <int KD> DEVICE void clear_sums(float (&acc)[2 * KD][4]) {
#pragma unroll
  for (int c = 0; c < 2 * KD; c++)
#pragma unroll
    for (int h = 0; h < 4; h++) acc[c][h] = 0.0f;
}

// store_sums writes rows [first, first+16), those of the lower half times f0, of the upper times f1.
template <int KD> DEVICE void store_sums(float *dst, int stride, const float (&acc)[2 * KD][4], int first, int limit, int dim, float f0, float f1) {
  int g = lane() >> 2, q = lane() & 3;
#pragma unroll
  for (int c = 0; c < 2 * KD; c++)
#pragma unroll
    for (int h = 0; h < 4; h++) {
      int row = first + g + 8 * (h >> 1), j = 8 * c + 2 * q + (h & 1);
      if (row < limit && j < dim) dst[(i64)row * stride + j] = acc[c][h] * (h >> 1 ? f1 : f0);
    }
}

// quad_sum and quad_max are over the four lanes that share rows.
DEVICE float quad_sum(float v) {
  v += shfl_xor(v, 1);
  return v + shfl_xor(v, 2);
}
DEVICE float quad_max(float v) {
  v = __builtin_fmaxf(v, shfl_xor(v, 1));
  return __builtin_fmaxf(v, shfl_xor(v, 2));
}
