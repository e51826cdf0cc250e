// AdamW for all parameters in one launch. table has six numbers a parameter: the addresses of p, m, v and g, the
// count, and the weight decay as the bits of a float; chunks has two ints a block: the parameter, and
// which 1024 of its numbers.
#include "device.cuh"

KERNEL THREADS(256) adamw(const u64 *table, const int *chunks, float gscale, float beta1, float rest1, float beta2, float rest2,
                          float eps, float rate, float lr) {
  const u64 *t = table + (i64)chunks[2 * bx()] * 6;
  float *p = (float *)t[0], *m = (float *)t[1], *v = (float *)t[2];
  const float *g = (const float *)t[3];
  i64 n = (i64)t[4];
  float decay = lr * __builtin_bit_cast(float, (u32)t[5]);
  i64 i = (i64)chunks[2 * bx() + 1] * 1024 + tid();
  for (int k = 0; k < 4; k++, i += 256) {
    if (i >= n) return;
    float d = g[i] * gscale;
    float mi = beta1 * m[i] + rest1 * d;
    float vi = beta2 * v[i] + rest2 * d * d;
    float w = p[i];
    w -= rate * (mi / (sqrtf_(vi) + eps));
    w -= decay * w;
    p[i] = w;
    m[i] = mi;
    v[i] = vi;
  }
}

// sum_squares adds the squares of chunk bx() of the same tables' gradients: [blocks].
KERNEL THREADS(256) sum_squares(float *dst, const u64 *table, const int *chunks) {
  SHARED float scratch[32];
  const u64 *t = table + (i64)chunks[2 * bx()] * 6;
  const float *g = (const float *)t[3];
  i64 n = (i64)t[4], i = (i64)chunks[2 * bx() + 1] * 1024 + tid();
  float s = 0.0f;
  for (int k = 0; k < 4; k++, i += 256)
    if (i < n) s += g[i] * g[i];
  s = block_sum(s, scratch);
  if (tid() == 0) dst[bx()] = s;
}

// sum_all adds n numbers: one block.
KERNEL THREADS(256) sum_all(float *dst, const float *x, int n) {
  SHARED float scratch[32];
  float s = 0.0f;
  for (int i = tid(); i < n; i += 256) s += x[i];
  s = block_sum(s, scratch);
  if (tid() == 0) dst[0] = s;
}
