// Attention for heads of any width, in plain arithmetic: a warp has one row of a head, and its sums lie in shared memory, where a lane
// meets no number of another's. Slow, and for what the other kernels have no room for.
#include "attention.cuh"

extern SHARED float sums[];

// dot_rows is Σ a·b of two rows, in every lane.
DEVICE float dot_rows(const float *a, const float *b, int dim) {
  float s = 0.0f;
  for (int j = lane(); j < dim; j += 32) s += a[j] * b[j];
  return warp_sum(s);
}

// see takes one more key into the running softmax of a row.
DEVICE void see(float *acc, float &top, float &sum, float y, const float *v, int dim, float kept) {
  float m = __builtin_fmaxf(top, y), corr = top == m ? 1.0f : expf_(top - m), p = expf_(y - m);
  top = m;
  sum = sum * corr + p;
  p *= kept;
  for (int j = lane(); j < dim; j += 32) acc[j] = acc[j] * corr + p * v[j];
}

DEVICE void clear_row(float *acc, int dim) {
  for (int j = lane(); j < dim; j += 32) acc[j] = 0.0f;
}

KERNEL THREADS(128) attention_wide(float *out, int os, const float *q, int qs, const float *k, int ks, const float *v, int vs, float *lse,
                                   const int *qstarts, const int *kstarts, const int *parent, int sequences, int rows, int heads, int dim,
                                   float scale, int causal, const u32 *state, int site, u32 limit, float factor) {
  int h = by(), r = bx() * 4 + warp();
  if (r >= rows) return;
  Drop drop = {factor != 0.0f ? dropout_key(state, (u32)site) : 0, limit, factor};
  float *acc = sums + warp() * dim, top = -INF, sum = 0.0f;
  q += (i64)r * qs + h * dim;
  clear_row(acc, dim);
  int s = sequence_of(qstarts, sequences, r), before = 0;
  for (int own = 0; own < 2; own++) {
    int keys = own ? s : parent ? parent[s] : -1;
    if (keys < 0) continue;
    int k0 = kstarts[keys], k1 = kstarts[keys + 1];
    if (own && causal) k1 = imin(k1, r + 1);
    for (int t = k0; t < k1; t++)
      see(acc, top, sum, dot_rows(q, k + (i64)t * ks + h * dim, dim) * scale, v + (i64)t * vs + h * dim, dim, keep(drop, h, r, before + t - k0));
    before = k1 - k0;
  }
  for (int j = lane(); j < dim; j += 32) out[(i64)r * os + h * dim + j] = sum > 0.0f ? acc[j] / sum : 0.0f;
  if (lse && lane() == 0) lse[(i64)r * heads + h] = top + logf_(sum);
}

KERNEL THREADS(128) attention_grad_q_wide(float *dq, int dqs, const float *dout, int dos, const float *q, int qs, const float *k, int ks,
                                          const float *v, int vs, const float *lse, const float *dots, const int *qstarts,
                                          const int *kstarts, const int *parent, int sequences, int rows, int heads, int dim, float scale,
                                          int causal, const u32 *state, int site, u32 limit, float factor) {
  int h = by(), r = bx() * 4 + warp();
  if (r >= rows) return;
  Drop drop = {factor != 0.0f ? dropout_key(state, (u32)site) : 0, limit, factor};
  float *acc = sums + warp() * dim, l = lse[(i64)r * heads + h], dot = dots[(i64)r * heads + h];
  q += (i64)r * qs + h * dim;
  dout += (i64)r * dos + h * dim;
  clear_row(acc, dim);
  int s = sequence_of(qstarts, sequences, r), before = 0;
  for (int own = 0; own < 2; own++) {
    int keys = own ? s : parent ? parent[s] : -1;
    if (keys < 0) continue;
    int k0 = kstarts[keys], k1 = kstarts[keys + 1];
    if (own && causal) k1 = imin(k1, r + 1);
    for (int t = k0; t < k1; t++) {
      const float *key = k + (i64)t * ks + h * dim;
      float p = expf_(dot_rows(q, key, dim) * scale - l), y = dot_rows(dout, v + (i64)t * vs + h * dim, dim);
      float d = p * (y * keep(drop, h, r, before + t - k0) - dot) * scale;
      for (int j = lane(); j < dim; j += 32) acc[j] += d * key[j];
    }
    before = k1 - k0;
  }
  for (int j = lane(); j < dim; j += 32) dq[(i64)r * dqs + h * dim + j] = acc[j];
}

// attention_grad_kv_wide: a warp has one key row.
KERNEL THREADS(128) attention_grad_kv_wide(float *dk, int dks, float *dv, int dvs, const float *dout, int dos, const float *q, int qs,
                                           const float *k, int ks, const float *v, int vs, const float *lse, const float *dots,
                                           const int *qstarts, const int *kstarts, const int *parent, int sequences, int rows, int heads,
                                           int dim, float scale, int causal, const u32 *state, int site, u32 limit, float factor) {
  int h = by(), key = bx() * 4 + warp();
  if (key >= rows) return;
  Drop drop = {factor != 0.0f ? dropout_key(state, (u32)site) : 0, limit, factor};
  float *ak = sums + warp() * 2 * dim, *av = ak + dim;
  k += (i64)key * ks + h * dim;
  v += (i64)key * vs + h * dim;
  clear_row(ak, dim);
  clear_row(av, dim);
  int s = sequence_of(kstarts, sequences, key), from = kstarts[s];
  for (int u = parent ? 0 : s; u < (parent ? sequences : s + 1); u++) {
    bool own = u == s;
    if (!own && parent[u] != s) continue;
    int offset = own && parent && parent[s] >= 0 ? kstarts[parent[s] + 1] - kstarts[parent[s]] : 0;
    int q0 = qstarts[u], q1 = qstarts[u + 1];
    if (own && causal) q0 = imax(q0, key);
    for (int r = q0; r < q1; r++) {
      const float *x = q + (i64)r * qs + h * dim, *d = dout + (i64)r * dos + h * dim;
      float w = expf_(dot_rows(x, k, dim) * scale - lse[(i64)r * heads + h]), f = keep(drop, h, r, offset + key - from);
      float g = w * (dot_rows(d, v, dim) * f - dots[(i64)r * heads + h]) * scale;
      w *= f;
      for (int j = lane(); j < dim; j += 32) {
        av[j] += w * d[j];
        ak[j] += g * x[j];
      }
    }
  }
  for (int j = lane(); j < dim; j += 32) {
    dk[(i64)key * dks + h * dim + j] = ak[j];
    dv[(i64)key * dvs + h * dim + j] = av[j];
  }
}

// attention_cached_wide is attention_cached with a warp for a query row and head.
KERNEL THREADS(128) attention_cached_wide(float *out, int os, const float *q, int qs, const float *k, int ks, const float *v, int vs,
                                          const int *table, int longest, const int *lens, int rows, int dim, float scale) {
  int h = by(), r = bx() * 4 + warp();
  if (r >= rows) return;
  float *acc = sums + warp() * dim, top = -INF, sum = 0.0f;
  q += (i64)r * qs + h * dim;
  table += (i64)r * longest;
  clear_row(acc, dim);
  for (int i = 0; i < lens[r]; i++) {
    i64 at = table[i];
    see(acc, top, sum, dot_rows(q, k + at * ks + h * dim, dim) * scale, v + at * vs + h * dim, dim, 1.0f);
  }
  for (int j = lane(); j < dim; j += 32) out[(i64)r * os + h * dim + j] = sum > 0.0f ? acc[j] / sum : 0.0f;
}
