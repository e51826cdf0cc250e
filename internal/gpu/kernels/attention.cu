// Attention, forward. A block has 16 query rows of one head; each warp four of them, a lane one key of a tile for the
// scores and some columns of the head for the result.
#include "attention.cuh"

KERNEL THREADS(128) attention(float *out, int os, const float *q, int qs, const float *k, int ks, const float *v, int vs, float *lse,
                              const int *qstarts, const int *kstarts, const int *parent, int sequences, int rows, int heads, int dim,
                              float scale, int causal, const u32 *state, int site, u32 limit, float factor) {
  SHARED float sq[BQ * (MOST_DIM + 1)], sk[BKEYS * (MOST_DIM + 1)], sv[BKEYS * (MOST_DIM + 1)];
  int h = by(), first = bx() * BQ, ld = dim + 1;
  Drop drop = {factor != 0.0f ? dropout_key(state, (u32)site) : 0, limit, factor};
  q += h * dim;
  k += h * dim;
  v += h * dim;
  int count = imin(BQ, rows - first);
  load_rows<BQ>(sq, ld, q, qs, first, count, dim, scale);
  float top[4], sum[4], acc[4][COLUMNS];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    top[i] = -INF;
    sum[i] = 0.0f;
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) acc[i][c] = 0.0f;
  }
  int r0 = first + 4 * warp();
  int s0 = sequence_of(qstarts, sequences, first), s1 = sequence_of(qstarts, sequences, first + count - 1);
#pragma unroll 1
  for (int s = s0; s <= s1; s++) {
    int from = qstarts[s], to = imin(qstarts[s + 1], first + count);
    if (from >= to) continue;
    int before = 0; // keys of the parent
#pragma unroll 1
    for (int part = 0; part < 2; part++) {
      int keys = s, own = part;
      if (!part) {
        keys = parent ? parent[s] : -1;
        if (keys < 0) continue;
      }
      int k0 = kstarts[keys], k1 = kstarts[keys + 1];
      if (own && causal) k1 = imin(k1, to);
#pragma unroll 1
      for (int t = k0; t < k1; t += BKEYS) {
        int n = imin(BKEYS, k1 - t);
        barrier();
        load_rows<BKEYS>(sk, ld, k, ks, t, n, dim, 1.0f);
        load_rows<BKEYS>(sv, ld, v, vs, t, n, dim, 1.0f);
        barrier();
        float x[4] = {};
#pragma unroll 4
        for (int j = 0; j < dim; j++) {
          float y = sk[lane() * ld + j];
#pragma unroll
          for (int i = 0; i < 4; i++) x[i] += sq[(4 * warp() + i) * ld + j] * y;
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
          int r = r0 + i, key = t + lane();
          bool sees = r >= from && r < to && lane() < n && !(own && causal && key > r);
          float y = sees ? x[i] : -INF;
          float m = __builtin_fmaxf(top[i], warp_max(y));
          float corr = top[i] == m ? 1.0f : expf_(top[i] - m);
          float p = sees ? expf_(y - m) : 0.0f;
          top[i] = m;
          sum[i] = sum[i] * corr + warp_sum(p);
          if (sees) p *= keep(drop, h, r, before + key - k0);
#pragma unroll
          for (int c = 0; c < COLUMNS; c++) acc[i][c] *= corr;
          x[i] = p;
        }
#pragma unroll 1
        for (int l = 0; l < n; l++) {
          float y[COLUMNS];
#pragma unroll
          for (int c = 0; c < COLUMNS; c++) y[c] = lane() + 32 * c < dim ? sv[l * ld + lane() + 32 * c] : 0.0f;
#pragma unroll
          for (int i = 0; i < 4; i++) {
            float p = shfl(x[i], l);
#pragma unroll
            for (int c = 0; c < COLUMNS; c++) acc[i][c] += p * y[c];
          }
        }
      }
      before = k1 - k0;
    }
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    int r = r0 + i;
    if (r >= rows) continue;
    float f = sum[i] > 0.0f ? 1.0f / sum[i] : 0.0f;
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) {
      int j = lane() + 32 * c;
      if (j < dim) out[(i64)r * os + h * dim + j] = acc[i][c] * f;
    }
    if (lse && lane() == 0) lse[(i64)r * heads + h] = top[i] + logf_(sum[i]);
  }
}
