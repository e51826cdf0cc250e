// Attention on tensor cores, forward and backward. What is computed, and in which order sequences are met, is as in attention.cu and
// attention_grad.cu.
#include "attention_mma.cuh"

#define WARPS 4 // of a block

template <int KD>
DEVICE void attend(float *out, int os, const Side &sq, const Side &sk, const Side &sv, float *lse, const Packed &p, int rows, int heads, int h, int dim,
                   float scale, int causal, const Drop &drop) {
  int first = (bx() * WARPS + warp()) * 16, g = lane() >> 2, q = lane() & 3;
  if (first >= rows) return;
  int last = imin(first + 16, rows);
  u32 fq[KD][4];
  load_fragments<KD>(fq, sq, first, rows);
  float acc[2 * KD][4], top[2] = {-INF, -INF}, sum[2] = {0.0f, 0.0f};
  clear_sums<KD>(acc);
  int s1 = sequence_of(p.qs, p.n, last - 1);
#pragma unroll 1
  for (int s = sequence_of(p.qs, p.n, first); s <= s1; s++) {
    int from = p.qs[s], to = imin(p.qs[s + 1], last), before = 0;
    if (from >= to) continue;
#pragma unroll 1
    for (int own = 0; own < 2; own++) {
      int keys = own ? s : p.parent ? p.parent[s] : -1;
      if (keys < 0) continue;
      int k0 = p.ks[keys], k1 = p.ks[keys + 1];
      if (own && causal) k1 = imin(k1, to);
#pragma unroll 1
      for (int t = k0; t < k1; t += 16) {
        float x[2][4];
        scores<KD>(x, fq, sk, t, k1);
#pragma unroll
        for (int i = 0; i < 2; i++) {
          int r = first + g + 8 * i;
          float m = -INF;
#pragma unroll
          for (int e = 0; e < 4; e++) {
            int key = t + 8 * (e >> 1) + 2 * q + (e & 1);
            bool sees = r >= from && r < to && key < k1 && !(own && causal && key > r);
            float &y = x[e >> 1][2 * i + (e & 1)];
            y = sees ? y * scale : -INF;
            m = __builtin_fmaxf(m, y);
          }
          m = __builtin_fmaxf(top[i], quad_max(m));
          float corr = top[i] == m ? 1.0f : expf_(top[i] - m), d = 0.0f;
#pragma unroll
          for (int e = 0; e < 4; e++) {
            float &y = x[e >> 1][2 * i + (e & 1)];
            float w = y == -INF ? 0.0f : expf_(y - m);
            d += w;
            y = w == 0.0f ? 0.0f : w * keep(drop, h, r, before + t + 8 * (e >> 1) + 2 * q + (e & 1) - k0);
          }
          top[i] = m;
          sum[i] = sum[i] * corr + quad_sum(d);
#pragma unroll
          for (int c = 0; c < 2 * KD; c++) {
            acc[c][2 * i] *= corr;
            acc[c][2 * i + 1] *= corr;
          }
        }
        accumulate<KD>(acc, x, sv, t, k1);
      }
      before = k1 - k0;
    }
  }
  store_sums<KD>(out, os, acc, first, rows, dim, sum[0] > 0.0f ? 1.0f / sum[0] : 0.0f, sum[1] > 0.0f ? 1.0f / sum[1] : 0.0f);
#pragma unroll
  for (int i = 0; i < 2; i++)
    if (lse && q == 0 && first + g + 8 * i < rows) lse[(i64)(first + g + 8 * i) * heads + h] = top[i] + logf_(sum[i]);
}

template <int KD>
DEVICE void attend_grad_q(float *dq, int dqs, const Side &sd, const Side &sq, const Side &sk, const Side &sv, const float *lse, const float *dots,
                          const Packed &p, int rows, int heads, int h, int dim, float scale, int causal, const Drop &drop) {
  int first = (bx() * WARPS + warp()) * 16, g = lane() >> 2, q = lane() & 3;
  if (first >= rows) return;
  int last = imin(first + 16, rows);
  u32 fq[KD][4], fd[KD][4];
  load_fragments<KD>(fq, sq, first, rows);
  load_fragments<KD>(fd, sd, first, rows);
  float acc[2 * KD][4], l[2], dot[2];
  clear_sums<KD>(acc);
#pragma unroll
  for (int i = 0; i < 2; i++) {
    int r = first + g + 8 * i;
    l[i] = r < rows ? lse[(i64)r * heads + h] : 0.0f;
    dot[i] = r < rows ? dots[(i64)r * heads + h] : 0.0f;
  }
  int s1 = sequence_of(p.qs, p.n, last - 1);
#pragma unroll 1
  for (int s = sequence_of(p.qs, p.n, first); s <= s1; s++) {
    int from = p.qs[s], to = imin(p.qs[s + 1], last), before = 0;
    if (from >= to) continue;
#pragma unroll 1
    for (int own = 0; own < 2; own++) {
      int keys = own ? s : p.parent ? p.parent[s] : -1;
      if (keys < 0) continue;
      int k0 = p.ks[keys], k1 = p.ks[keys + 1];
      if (own && causal) k1 = imin(k1, to);
#pragma unroll 1
      for (int t = k0; t < k1; t += 16) {
        float x[2][4], y[2][4];
        scores<KD>(x, fq, sk, t, k1);
        scores<KD>(y, fd, sv, t, k1);
#pragma unroll
        for (int e = 0; e < 8; e++) {
          int i = (e >> 1) & 1, j = e >> 2, c = 2 * i + (e & 1), r = first + g + 8 * i, key = t + 8 * j + 2 * q + (e & 1);
          bool sees = r >= from && r < to && key < k1 && !(own && causal && key > r);
          x[j][c] = sees ? expf_(x[j][c] * scale - l[i]) * (y[j][c] * keep(drop, h, r, before + key - k0) - dot[i]) * scale : 0.0f;
        }
        accumulate<KD>(acc, x, sk, t, k1);
      }
      before = k1 - k0;
    }
  }
  store_sums<KD>(dq, dqs, acc, first, rows, dim, 1.0f, 1.0f);
}

// attend_grad_kv: a warp has 16 key rows. Who sees a key: its own sequence, and every sequence whose parent that is.
template <int KD>
DEVICE void attend_grad_kv(float *dk, int dks, float *dv, int dvs, const Side &sd, const Side &sq, const Side &sk, const Side &sv, const float *lse,
                           const float *dots, const Packed &p, int rows, int heads, int h, int dim, float scale, int causal, const Drop &drop) {
  int first = (bx() * WARPS + warp()) * 16, g = lane() >> 2, q = lane() & 3;
  if (first >= rows) return;
  int last = imin(first + 16, rows);
  u32 fk[KD][4], fv[KD][4];
  load_fragments<KD>(fk, sk, first, rows);
  load_fragments<KD>(fv, sv, first, rows);
  float ak[2 * KD][4], av[2 * KD][4];
  clear_sums<KD>(ak);
  clear_sums<KD>(av);
  int s1 = sequence_of(p.ks, p.n, last - 1);
#pragma unroll 1
  for (int s = sequence_of(p.ks, p.n, first); s <= s1; s++) {
    int from = p.ks[s], to = imin(p.ks[s + 1], last);
    if (from >= to) continue;
#pragma unroll 1
    for (int u = p.parent ? 0 : s; u < (p.parent ? p.n : s + 1); u++) {
      bool own = u == s;
      if (!own && p.parent[u] != s) continue;
      int offset = own && p.parent && p.parent[s] >= 0 ? p.ks[p.parent[s] + 1] - p.ks[p.parent[s]] : 0;
      int q0 = p.qs[u], q1 = p.qs[u + 1];
      if (own && causal) q0 = imax(q0, imax(from, first));
#pragma unroll 1
      for (int t = q0; t < q1; t += 16) {
        float x[2][4], y[2][4];
        scores<KD>(x, fk, sq, t, q1);
        scores<KD>(y, fv, sd, t, q1);
#pragma unroll
        for (int e = 0; e < 8; e++) {
          int i = (e >> 1) & 1, j = e >> 2, c = 2 * i + (e & 1), key = first + g + 8 * i, r = t + 8 * j + 2 * q + (e & 1);
          bool sees = key >= from && key < to && r < q1 && !(own && causal && key > r);
          float w = sees ? expf_(x[j][c] * scale - lse[(i64)r * heads + h]) : 0.0f;
          float f = sees ? keep(drop, h, r, offset + key - from) : 0.0f;
          x[j][c] = w * f;
          y[j][c] = sees ? w * (y[j][c] * f - dots[(i64)r * heads + h]) * scale : 0.0f;
        }
        accumulate<KD>(av, x, sd, t, q1);
        accumulate<KD>(ak, y, sq, t, q1);
      }
    }
  }
  store_sums<KD>(dk, dks, ak, first, rows, dim, 1.0f, 1.0f);
  store_sums<KD>(dv, dvs, av, first, rows, dim, 1.0f, 1.0f);
}

#define PACKED_PARAMS                                                                                                          \
  const int *qstarts, const int *kstarts, const int *parent, int sequences, int rows, int heads, int dim, float scale, int causal, \
      const u32 *state, int site, u32 limit, float factor, int wide
#define PACKED_ARGS                                                                                                            \
  int h = by();                                                                                                                \
  Packed p = {qstarts, kstarts, parent, sequences};                                                                            \
  Drop drop = {factor != 0.0f ? dropout_key(state, (u32)site) : 0, limit, factor};
#define SIDE(x, stride) Side{x + h * dim, stride, dim, wide != 0}

#define ATTENTION(n, kd)                                                                                                       \
  KERNEL THREADS(WARPS * 32) attention_bf16_##n(float *out, int os, const float *q, int qs, const float *k, int ks, const float *v, int vs,  \
                                                float *lse, PACKED_PARAMS) {                                                   \
    PACKED_ARGS                                                                                                                \
    attend<kd>(out + h * dim, os, SIDE(q, qs), SIDE(k, ks), SIDE(v, vs), lse, p, rows, heads, h, dim, scale, causal, drop);    \
  }                                                                                                                            \
  KERNEL THREADS(WARPS * 32) attention_grad_q_bf16_##n(float *dq, int dqs, const float *dout, int dos, const float *q, int qs, const float *k,  \
                                                       int ks, const float *v, int vs, const float *lse, const float *dots, PACKED_PARAMS) {  \
    PACKED_ARGS                                                                                                                \
    attend_grad_q<kd>(dq + h * dim, dqs, SIDE(dout, dos), SIDE(q, qs), SIDE(k, ks), SIDE(v, vs), lse, dots, p, rows, heads, h, dim, scale, causal, drop);  \
  }                                                                                                                            \
  KERNEL THREADS(WARPS * 32) attention_grad_kv_bf16_##n(float *dk, int dks, float *dv, int dvs, const float *dout, int dos, const float *q, int qs,  \
                                                        const float *k, int ks, const float *v, int vs, const float *lse, const float *dots,  \
                                                        PACKED_PARAMS) {                                                       \
    PACKED_ARGS                                                                                                                \
    attend_grad_kv<kd>(dk + h * dim, dks, dv + h * dim, dvs, SIDE(dout, dos), SIDE(q, qs), SIDE(k, ks), SIDE(v, vs), lse, dots, p, rows, heads, h,  \
                       dim, scale, causal, drop);                                                                              \
  }
ATTENTION(64, 4)
ATTENTION(128, 8)
