// Rows picked and rows put back. A block of 256 threads works on 256 columns of one row.
#include "device.cuh"

// gather: dst[i] = src[idx[i]], or is added to; a negative index gives a zero row, or adds nothing.
KERNEL THREADS(256) gather(float *dst, int ds, const float *src, int ss, const int *idx, int rows, int cols, int add) {
  int j = by() * 256 + tid(), i = bx();
  if (i >= rows || j >= cols) return;
  int k = idx[i];
  float *d = dst + (i64)i * ds + j;
  float v = k >= 0 ? src[(i64)k * ss + j] : 0.0f;
  if (!add) *d = v;
  else if (k >= 0) *d += v;
}

// scatter_add: dst[idx[i]] += src[i], in rising order of i, so that sums do not depend on chance. Row i of the grid adds
// all source rows that go where its own goes, if its own is the first of them.
KERNEL THREADS(256) scatter_add(float *dst, int ds, const float *src, int ss, const int *idx, int rows, int cols) {
  SHARED float scratch[32];
  int i = bx(), k = idx[i];
  if (k < 0) return;
  float earlier = 0.0f;
  for (int r = tid(); r < i; r += 256)
    if (idx[r] == k) earlier = 1.0f;
  if (block_max(earlier, scratch) > 0.0f) return;
  int j = by() * 256 + tid();
  if (j >= cols) return;
  float s = dst[(i64)k * ds + j];
  for (int r = i; r < rows; r++)
    if (idx[r] == k) s += src[(i64)r * ss + j];
  dst[(i64)k * ds + j] = s;
}

// put_rows copies row i of src to row slots[i] of dst.
KERNEL THREADS(256) put_rows(float *dst, int ds, const float *src, int ss, const int *slots, int cols) {
  int j = by() * 256 + tid(), i = bx();
  if (j < cols) dst[(i64)slots[i] * ds + j] = src[(i64)i * ss + j];
}
