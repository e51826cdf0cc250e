// One thread an element: n elements that lie end to end.
#include "epilogue.cuh"
#include "dropout.cuh"

DEVICE i64 element() { return (i64)bx() * threads() + tid(); }

// Bits of kind say what is in bfloat16: the result, and x.
KERNEL activate(void *y, const void *x, i64 n, int kind) {
  i64 i = element();
  if (i < n) put(y, i, kind & HALF_RESULT, act(kind & 255, number(x, i, kind & HALF_PRE)));
}

KERNEL activate_grad(float *dx, const float *dy, const float *x, i64 n, int kind) {
  i64 i = element();
  if (i < n) dx[i] = dy[i] * act_grad(kind, x[i]);
}

KERNEL add(float *y, const float *a, const float *b, i64 n) {
  i64 i = element();
  if (i < n) y[i] = a[i] + b[i];
}

KERNEL scale(float *y, const float *x, const float *s, i64 n) {
  i64 i = element();
  if (i < n) y[i] = x[i] * s[0];
}

// dropout multiplies what stays by factor, 1/(1-p).
KERNEL dropout(float *y, const float *x, i64 n, const u32 *state, int site, u32 limit, float factor) {
  i64 i = element();
  if (i >= n) return;
  u64 key = dropout_key(state, (u32)site);
  y[i] = dropout_keep(key, (u64)i, limit) ? x[i] * factor : 0.0f;
}

// zero_rows clears a matrix with rows further apart than they are long.
KERNEL zero_rows(float *y, int rows, int cols, int stride) {
  int i = by(), j = bx() * threads() + tid();
  for (; i < rows && j < cols; i += 65535) y[(i64)i * stride + j] = 0.0f;
}
