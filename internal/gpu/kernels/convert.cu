// What surrounds a product that cuBLASLt computes: its operands in bfloat16 before, and what it cannot do to its result after.
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

// finish_rows is the epilogue of a product on its own.
KERNEL THREADS(256) finish_rows(float *c, int cs, i64 count, int n, EPILOGUE_PARAMS) {
  i64 e = (i64)bx() * 256 + tid();
  if (e >= count) return;
  int i = (int)(e / n), j = (int)(e % n);
  float *at = c + (i64)i * cs + j;
  *at = finish(EPILOGUE_ARGS, *at, i, j);
}
