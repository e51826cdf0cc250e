// Attention, backward: the weights are computed again from the stored log Σ exp. One kernel goes over keys for dq, one over
// queries for dk and dv, so that nothing is added from two blocks and results do not depend on chance.
#include "attention.cuh"

// attention_dot is Σ dout·out of every row and head: [rows, heads]; a warp each. Bits of half: out is bfloat16, and dout.
KERNEL THREADS(256) attention_dot(float *dots, const void *dout, int ds, const void *out, int os, int rows, int heads, int dim, int half) {
  int e = bx() * 8 + warp();
  if (e >= rows * heads) return;
  int r = e / heads, h = e % heads;
  float s = 0.0f;
  for (int j = lane(); j < dim; j += 32) s += number(dout, (i64)r * ds + h * dim + j, (half & 2) != 0) * number(out, (i64)r * os + h * dim + j, (half & 1) != 0);
  s = warp_sum(s);
  if (lane() == 0) dots[e] = s;
}

KERNEL THREADS(128) attention_grad_q(float *dq, int dqs, const float *dout, int dos, const float *q, int qs, const float *k, int ks,
                                     const float *v, int vs, const float *lse, const float *dots, const int *qstarts,
                                     const int *kstarts, const int *parent, int sequences, int rows, int heads, int dim, float scale,
                                     int causal, const u32 *state, int site, u32 limit, float factor) {
  SHARED float sq[BQ * (MOST_DIM + 1)], sd[BQ * (MOST_DIM + 1)], sk[BKEYS * (MOST_DIM + 1)];
  int h = by(), first = bx() * BQ, ld = dim + 1;
  Drop drop = {factor != 0.0f ? dropout_key(state, (u32)site) : 0, limit, factor};
  q += h * dim;
  k += h * dim;
  v += h * dim;
  dout += h * dim;
  int count = imin(BQ, rows - first), r0 = first + 4 * warp();
  load_rows<BQ>(sq, ld, q, qs, first, count, dim, scale);
  load_rows<BQ>(sd, ld, dout, dos, first, count, dim, 1.0f);
  float l[4], dot[4], acc[4][COLUMNS];
#pragma unroll
  for (int i = 0; i < 4; i++) {
    bool live = r0 + i < rows;
    l[i] = live ? lse[(i64)(r0 + i) * heads + h] : 0.0f;
    dot[i] = live ? dots[(i64)(r0 + i) * heads + h] : 0.0f;
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) acc[i][c] = 0.0f;
  }
  int s0 = sequence_of(qstarts, sequences, first), s1 = sequence_of(qstarts, sequences, first + count - 1);
#pragma unroll 1
  for (int s = s0; s <= s1; s++) {
    int from = qstarts[s], to = imin(qstarts[s + 1], first + count);
    if (from >= to) continue;
    int before = 0;
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
        int n = imin(BKEYS, k1 - t), key = t + lane();
        float x[4] = {}, y[4] = {};
        barrier();
        load_rows<BKEYS>(sk, ld, v, vs, t, n, dim, 1.0f);
        barrier();
        for (int j = 0; j < dim; j++) {
          float b = sk[lane() * ld + j];
#pragma unroll
          for (int i = 0; i < 4; i++) y[i] += sd[(4 * warp() + i) * ld + j] * b;
        }
        barrier();
        load_rows<BKEYS>(sk, ld, k, ks, t, n, dim, 1.0f);
        barrier();
        for (int j = 0; j < dim; j++) {
          float b = sk[lane() * ld + j];
#pragma unroll
          for (int i = 0; i < 4; i++) x[i] += sq[(4 * warp() + i) * ld + j] * b;
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
          int r = r0 + i;
          bool sees = r >= from && r < to && lane() < n && !(own && causal && key > r);
          float p = sees ? expf_(x[i] - l[i]) : 0.0f;
          x[i] = sees ? p * (y[i] * keep(drop, h, r, before + key - k0) - dot[i]) * scale : 0.0f;
        }
#pragma unroll 1
        for (int e = 0; e < n; e++) {
          float b[COLUMNS];
#pragma unroll
          for (int c = 0; c < COLUMNS; c++) b[c] = lane() + 32 * c < dim ? sk[e * ld + lane() + 32 * c] : 0.0f;
#pragma unroll
          for (int i = 0; i < 4; i++) {
            float p = shfl(x[i], e);
#pragma unroll
            for (int c = 0; c < COLUMNS; c++) acc[i][c] += p * b[c];
          }
        }
      }
      before = k1 - k0;
    }
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) {
      int j = lane() + 32 * c;
      if (r0 + i < rows && j < dim) dq[(i64)(r0 + i) * dqs + h * dim + j] = acc[i][c];
    }
}

// attention_grad_kv: a block has 16 key rows of one head, a lane one query of a tile. Who sees a key: its own sequence, and
// every sequence whose parent that is.
KERNEL THREADS(128) attention_grad_kv(float *dk, int dks, float *dv, int dvs, const float *dout, int dos, const float *q, int qs,
                                      const float *k, int ks, const float *v, int vs, const float *lse, const float *dots,
                                      const int *qstarts, const int *kstarts, const int *parent, int sequences, int rows, int heads,
                                      int dim, float scale, int causal, const u32 *state, int site, u32 limit, float factor) {
  SHARED float sk[BQ * (MOST_DIM + 1)], sv[BQ * (MOST_DIM + 1)], sq[BKEYS * (MOST_DIM + 1)];
  int h = by(), first = bx() * BQ, ld = dim + 1;
  Drop drop = {factor != 0.0f ? dropout_key(state, (u32)site) : 0, limit, factor};
  q += h * dim;
  k += h * dim;
  v += h * dim;
  dout += h * dim;
  int count = imin(BQ, rows - first), r0 = first + 4 * warp();
  load_rows<BQ>(sk, ld, k, ks, first, count, dim, 1.0f);
  load_rows<BQ>(sv, ld, v, vs, first, count, dim, 1.0f);
  float ak[4][COLUMNS], av[4][COLUMNS];
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) ak[i][c] = av[i][c] = 0.0f;
  int s0 = sequence_of(kstarts, sequences, first), s1 = sequence_of(kstarts, sequences, first + count - 1);
#pragma unroll 1
  for (int s = s0; s <= s1; s++) {
    int from = kstarts[s], to = imin(kstarts[s + 1], first + count);
    if (from >= to) continue;
#pragma unroll 1
    for (int u = parent ? 0 : s; u < (parent ? sequences : s + 1); u++) {
      bool own = u == s;
      if (!own && parent[u] != s) continue;
      int base = from; // position of the first key of s among those that u sees
      int offset = 0;
      if (own && parent && parent[s] >= 0) offset = kstarts[parent[s] + 1] - kstarts[parent[s]];
      int q0 = qstarts[u], q1 = qstarts[u + 1];
      if (own && causal) q0 = imax(q0, imax(from, first));
#pragma unroll 1
      for (int t = q0; t < q1; t += BKEYS) {
        int n = imin(BKEYS, q1 - t), r = t + lane();
        float x[4] = {}, y[4] = {}, p[4], d[4];
        barrier();
        load_rows<BKEYS>(sq, ld, q, qs, t, n, dim, scale);
        barrier();
        for (int j = 0; j < dim; j++) {
          float b = sq[lane() * ld + j];
#pragma unroll
          for (int i = 0; i < 4; i++) x[i] += sk[(4 * warp() + i) * ld + j] * b;
        }
        float l = lane() < n ? lse[(i64)r * heads + h] : 0.0f, dot = lane() < n ? dots[(i64)r * heads + h] : 0.0f;
#pragma unroll 1
        for (int pass = 0; pass < 2; pass++) {
          // First dout, which gives dv and the gradients of the weights; then q again, which gives dk.
          if (!pass) {
            barrier();
            load_rows<BKEYS>(sq, ld, dout, dos, t, n, dim, 1.0f);
            barrier();
            for (int j = 0; j < dim; j++) {
              float b = sq[lane() * ld + j];
#pragma unroll
              for (int i = 0; i < 4; i++) y[i] += sv[(4 * warp() + i) * ld + j] * b;
            }
#pragma unroll
            for (int i = 0; i < 4; i++) {
              int key = r0 + i;
              bool sees = key >= from && key < to && lane() < n && !(own && causal && key > r);
              float w = sees ? expf_(x[i] - l) : 0.0f;
              float f = sees ? keep(drop, h, r, offset + key - base) : 0.0f;
              p[i] = w * f;
              d[i] = w * (y[i] * f - dot);
            }
          } else {
            barrier();
            load_rows<BKEYS>(sq, ld, q, qs, t, n, dim, scale);
            barrier();
          }
#pragma unroll 1
          for (int e = 0; e < n; e++) {
            float b[COLUMNS];
#pragma unroll
            for (int c = 0; c < COLUMNS; c++) b[c] = lane() + 32 * c < dim ? sq[e * ld + lane() + 32 * c] : 0.0f;
#pragma unroll
            for (int i = 0; i < 4; i++) {
              float w = shfl(pass ? d[i] : p[i], e);
#pragma unroll
              for (int c = 0; c < COLUMNS; c++)
                if (pass) ak[i][c] += w * b[c];
                else av[i][c] += w * b[c];
            }
          }
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int c = 0; c < COLUMNS; c++) {
      int j = lane() + 32 * c;
      if (r0 + i < rows && j < dim) {
        dk[(i64)(r0 + i) * dks + h * dim + j] = ak[i][c];
        dv[(i64)(r0 + i) * dvs + h * dim + j] = av[i][c];
      }
    }
}
