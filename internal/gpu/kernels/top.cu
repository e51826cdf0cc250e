// The k greatest of a row of logits: a block of 256 threads a row.
#include "device.cuh"

// before orders logits: greater first, NaN behind all, of equals the earlier.
DEVICE bool before(float a, int i, float b, int j) {
  if ((a != a) != (b != b)) return b != b;
  return a == b || a != a ? i < j : a > b;
}

// top_rows writes [k greatest | their places | log Σ exp]. It looks through the row once for each of the k, for what
// comes after the one found last.
KERNEL THREADS(256) top_rows(float *out, int os, const float *logits, int cols, int k, float scale) {
  SHARED float best[32];
  SHARED int place[32];
  const float *x = logits + (i64)bx() * cols;
  out += (i64)bx() * os;
  float last = INF, m = 0.0f;
  int lastAt = -1;
  for (int n = 0; n < k; n++) {
    float b = __builtin_nanf(""); // behind every number, so that a place is always found
    int at = cols;
    for (int i = tid(); i < cols; i += AT_ONCE * 256) {
      float some[AT_ONCE];
      read_some(some, x + i, 256, cols - i);
#pragma unroll
      for (int q = 0; q < AT_ONCE; q++) {
        int j = i + 256 * q;
        float v = some[q] * scale;
        if (j < cols && (n == 0 || before(last, lastAt, v, j)) && before(v, j, b, at)) {
          b = v;
          at = j;
        }
      }
    }
    for (int d = 16; d; d >>= 1) {
      float ob = shfl_xor(b, d);
      int oa = shfl_xor(at, d);
      if (before(ob, oa, b, at)) {
        b = ob;
        at = oa;
      }
    }
    if (lane() == 0) {
      best[warp()] = b;
      place[warp()] = at;
    }
    barrier();
    b = best[0];
    at = place[0];
    for (int w = 1; w < 8; w++)
      if (before(best[w], place[w], b, at)) {
        b = best[w];
        at = place[w];
      }
    barrier();
    last = b;
    lastAt = at;
    if (n == 0) m = b;
    if (tid() == 0) {
      out[n] = b;
      out[k + n] = (float)at;
    }
  }
  float s = 0.0f;
#pragma unroll AT_ONCE
  for (int j = tid(); j < cols; j += 256) s += expf_(x[j] * scale - m);
  s = block_sum(s, best);
  if (tid() == 0) out[2 * k] = m + logf_(s);
}
