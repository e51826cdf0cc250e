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

// gather_bf16 and gather_int8 take rows of a table in these forms; scales are one a row.
KERNEL THREADS(256) gather_bf16(float *dst, int ds, const unsigned short *src, int ss, const int *idx, int rows, int cols, int add) {
  int j = by() * 256 + tid(), i = bx();
  if (i >= rows || j >= cols) return;
  int k = idx[i];
  float *d = dst + (i64)i * ds + j, v = k >= 0 ? __builtin_bit_cast(float, (u32)src[(i64)k * ss + j] << 16) : 0.0f;
  if (!add) *d = v;
  else if (k >= 0) *d += v;
}
KERNEL THREADS(256) gather_int8(float *dst, int ds, const signed char *src, int ss, const float *scales, const int *idx, int rows, int cols, int add) {
  int j = by() * 256 + tid(), i = bx();
  if (i >= rows || j >= cols) return;
  int k = idx[i];
  float *d = dst + (i64)i * ds + j, v = k >= 0 ? (float)src[(i64)k * ss + j] * scales[k] : 0.0f;
  if (!add) *d = v;
  else if (k >= 0) *d += v;
}

// sort_rows sorts rows by their index, equal ones by their number: a row's place is the count of those that come before it. keys are
// the sorted indices, order the rows.
KERNEL THREADS(256) sort_rows(int *keys, int *order, const int *idx, int rows) {
  SHARED int tile[256];
  int i = bx() * 256 + tid(), k = i < rows ? idx[i] : 0, at = 0;
#pragma unroll 1
  for (int t = 0; t < rows; t += 256) {
    barrier();
    if (t + tid() < rows) tile[tid()] = idx[t + tid()];
    barrier();
    int n = imin(256, rows - t);
    for (int j = 0; j < n; j++) at += tile[j] < k || (tile[j] == k && t + j < i);
  }
  if (i >= rows) return;
  keys[at] = k;
  order[at] = i;
}

// scatter_add: dst[keys[p]] += src[order[p]], in rising order of p, so that sums do not depend on chance. Row p of the grid adds all
// source rows of its key, if it is the first that has it.
KERNEL THREADS(256) scatter_add(float *dst, int ds, const float *src, int ss, const int *keys, const int *order, int rows, int cols) {
  int p = bx(), k = keys[p], j = by() * 256 + tid();
  if (k < 0 || (p > 0 && keys[p - 1] == k) || j >= cols) return;
  int end = p + 1, above = rows; // the first place behind those of k
  while (end < above) {
    int mid = (end + above) >> 1;
    if (keys[mid] == k) end = mid + 1;
    else above = mid;
  }
  float s = dst[(i64)k * ds + j];
#pragma unroll 4
  for (int r = p; r < end; r++) s += src[(i64)order[r] * ss + j];
  dst[(i64)k * ds + j] = s;
}

// put_rows copies row i of src to row slots[i] of dst.
KERNEL THREADS(256) put_rows(float *dst, int ds, const float *src, int ss, const int *slots, int cols) {
  int j = by() * 256 + tid(), i = bx();
  if (j < cols) dst[(i64)slots[i] * ds + j] = src[(i64)i * ss + j];
}
