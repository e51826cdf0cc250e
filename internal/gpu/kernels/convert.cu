// Numbers in other forms, and what surrounds a product that cuBLASLt computes: its operands in bfloat16 before, and what it cannot do to
// its result after.
#include "epilogue.cuh"
#include "mma.cuh"

// to_bf16 rounds a matrix; a thread has two columns. Rows of dst begin on 4 bytes.
KERNEL THREADS(256) to_bf16(u32 *dst, int ds, const float *src, int ss, i64 pairs, int cols) {
  i64 e = (i64)bx() * 256 + tid();
  if (e >= pairs) return;
  int half = (cols + 1) >> 1, j = (int)(e % half) * 2;
  i64 i = e / half;
  const float *s = src + i * ss + j;
  dst[(i * ds + j) >> 1] = pack_bf16(s[0], j + 1 < cols ? s[1] : 0.0f);
}

// widen_bf16 and widen_int8 give [rows, cols] in float32 of numbers in bfloat16, or of int8 times a scale a row (by_row) or a column.
KERNEL THREADS(256) widen_bf16(float *dst, int ds, const unsigned short *src, int ss, i64 count, int cols) {
  i64 e = (i64)bx() * 256 + tid();
  if (e >= count) return;
  int j = (int)(e % cols);
  i64 i = e / cols;
  dst[i * ds + j] = __builtin_bit_cast(float, (u32)src[i * ss + j] << 16);
}
KERNEL THREADS(256) widen_int8(float *dst, int ds, const signed char *src, int ss, i64 count, int cols, const float *scales, int by_row) {
  i64 e = (i64)bx() * 256 + tid();
  if (e >= count) return;
  int j = (int)(e % cols);
  i64 i = e / cols;
  dst[i * ds + j] = (float)src[i * ss + j] * scales[by_row ? i : j];
}

// finish_rows is the epilogue of a product on its own. A thread has four numbers, neighbours where that can be.
KERNEL THREADS(256) finish_rows(float *c, int cs, i64 count, int n, EPILOGUE_PARAMS) {
  Epilogue e = EPILOGUE_ARGS;
  i64 first = (i64)bx() * 1024;
  if (by_fours(c, cs, e, n)) {
    i64 at[1] = {first + 4 * tid()};
    if (at[0] >= count) return;
    int i[1] = {(int)(at[0] / n)}, j = (int)(at[0] % n);
    at[0] = (i64)i[0] * cs + j;
    Four f[1];
    read_fours(f, c, at, act & HALF_RESULT);
    float x[1][4];
    numbers(x[0], f[0], act & HALF_RESULT);
    finish_fours(c, cs, e, x, i, j, (int)(count / n), bias ? *(const Quad *)(bias + j) : Quad{});
    return;
  }
#pragma unroll 1
  for (int q = 0; q < 4; q++) {
    i64 at = first + 256 * q + tid();
    if (at >= count) return;
    int i = (int)(at / n), j = (int)(at % n);
    finish_to(c, cs, e, number(c, (i64)i * cs + j, act & HALF_RESULT), i, j);
  }
}
