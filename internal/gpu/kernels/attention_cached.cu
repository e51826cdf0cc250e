// Attention for decoding, where keys and values lie in a cache whose rows a table lists. A block of four warps has one
// query row and head; a warp takes every fourth key, its lanes share the head's columns.
#include "attention.cuh"

KERNEL THREADS(128) attention_cached(float *out, int os, const float *q, int qs, const float *k, int ks, const float *v, int vs,
                                     const int *table, int longest, const int *lens, int dim, float scale) {
  SHARED float top[4], sum[4], part[4][MOST_DIM];
  int r = bx(), h = by(), n = lens[r];
  q += (i64)r * qs + h * dim;
  k += h * dim;
  v += h * dim;
  table += (i64)r * longest;
  float x[COLUMNS], acc[COLUMNS], m = -INF, s = 0.0f;
#pragma unroll
  for (int c = 0; c < COLUMNS; c++) {
    x[c] = lane() + 32 * c < dim ? q[lane() + 32 * c] * scale : 0.0f;
    acc[c] = 0.0f;
  }
#pragma unroll 1
  for (int i = warp(); i < n; i += 4) {
    i64 row = table[i];
    float y = 0.0f, z[COLUMNS];
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) {
      bool in = lane() + 32 * c < dim;
      y += in ? x[c] * k[row * ks + lane() + 32 * c] : 0.0f;
      z[c] = in ? v[row * vs + lane() + 32 * c] : 0.0f;
    }
    y = warp_sum(y);
    float now = __builtin_fmaxf(m, y), corr = m == now ? 1.0f : expf_(m - now), p = expf_(y - now);
    m = now;
    s = s * corr + p;
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) acc[c] = acc[c] * corr + p * z[c];
  }
  if (lane() == 0) {
    top[warp()] = m;
    sum[warp()] = s;
  }
#pragma unroll
  for (int c = 0; c < COLUMNS; c++)
    if (lane() + 32 * c < dim) part[warp()][lane() + 32 * c] = acc[c];
  barrier();
  if (tid() >= dim) return;
  float all = __builtin_fmaxf(__builtin_fmaxf(top[0], top[1]), __builtin_fmaxf(top[2], top[3])), d = 0.0f, y = 0.0f;
  for (int w = 0; w < 4; w++) {
    if (sum[w] == 0.0f) continue;
    float f = expf_(top[w] - all);
    d += sum[w] * f;
    y += part[w][tid()] * f;
  }
  out[(i64)r * os + h * dim + tid()] = n > 0 ? y / d : 0.0f;
}
