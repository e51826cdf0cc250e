// Normalisation of rows: a warp a row, eight rows a block of 256 threads.
#include "half.cuh"

DEVICE int my_row() { return bx() * 8 + warp(); }

// half: y is bfloat16.
KERNEL THREADS(256) layer_norm(void *y, int ys, const float *x, int xs, const float *gain, const float *bias, float eps,
                               float *mean, float *rstd, int rows, int cols, int half) {
  int r = my_row();
  if (r >= rows) return;
  x += (i64)r * xs;
  float s = 0.0f;
#pragma unroll AT_ONCE
  for (int j = lane(); j < cols; j += 32) s += x[j];
  float m = warp_sum(s) / (float)cols;
  s = 0.0f;
#pragma unroll AT_ONCE
  for (int j = lane(); j < cols; j += 32) s += (x[j] - m) * (x[j] - m);
  float v = warp_sum(s) / (float)cols;
  float f = 1.0f / sqrtf_(v + eps);
  for (int j = lane(); j < cols; j += AT_ONCE * 32) {
    float v[AT_ONCE], g[AT_ONCE], b[AT_ONCE];
    read_some(v, x + j, 32, cols - j);
    read_some(g, gain + j, 32, cols - j);
    read_some(b, bias + j, 32, cols - j);
#pragma unroll
    for (int q = 0; q < AT_ONCE; q++)
      if (j + 32 * q < cols) put(y, (i64)r * ys + j + 32 * q, half, (v[q] - m) * f * g[q] + b[q]);
  }
  if (lane() == 0) {
    if (mean) mean[r] = m;
    if (rstd) rstd[r] = f;
  }
}

// layer_norm_grad_x, where dy is bfloat16 if half says so: with h = (x-mean)·rstd and g = dy·gain, dx = (g - mean(g) - h·mean(g·h))·rstd.
KERNEL THREADS(256) layer_norm_grad_x(float *dx, int dxs, const void *dy, int dys, const float *x, int xs, const float *gain,
                                      const float *mean, const float *rstd, int rows, int cols, int half) {
  int r = my_row();
  if (r >= rows) return;
  x += (i64)r * xs;
  dx += (i64)r * dxs;
  float m = mean[r], f = rstd[r], sg = 0.0f, sgh = 0.0f;
#pragma unroll AT_ONCE
  for (int j = lane(); j < cols; j += 32) {
    float g = number(dy, (i64)r * dys + j, half) * gain[j];
    sg += g;
    sgh += g * ((x[j] - m) * f);
  }
  sg = warp_sum(sg) / (float)cols;
  sgh = warp_sum(sgh) / (float)cols;
  for (int j = lane(); j < cols; j += AT_ONCE * 32) {
    float v[AT_ONCE], g[AT_ONCE], d[AT_ONCE];
    read_some(v, x + j, 32, cols - j);
    read_some(g, gain + j, 32, cols - j);
#pragma unroll
    for (int q = 0; q < AT_ONCE; q++) d[q] = j + 32 * q < cols ? number(dy, (i64)r * dys + j + 32 * q, half) : 0.0f;
#pragma unroll
    for (int q = 0; q < AT_ONCE; q++)
      if (j + 32 * q < cols) dx[j + 32 * q] = (d[q] * g[q] - sg - (v[q] - m) * f * sgh) * f;
  }
}

// column_parts adds the eight warps' sums of 32 columns and stores row by() of dst.
DEVICE void column_parts(float *dst, float s, float *scratch, int cols, int j) {
  scratch[warp() * 32 + lane()] = s;
  barrier();
  if (warp() == 0 && j < cols) {
    float t = 0.0f;
    for (int w = 0; w < 8; w++) t += scratch[w * 32 + lane()];
    dst[(i64)by() * cols + j] = t;
  }
  barrier();
}

// layer_norm_grad_w sums dgain and dbias over the rows of part by(), per rows each: [parts, cols].
KERNEL THREADS(256) layer_norm_grad_w(float *dgain, float *dbias, const void *dy, int dys, const float *x, int xs,
                                      const float *mean, const float *rstd, int rows, int cols, int per, int half) {
  SHARED float scratch[256];
  int j = bx() * 32 + lane(), last = imin(rows, (by() + 1) * per);
  float g = 0.0f, b = 0.0f;
  if (j < cols)
#pragma unroll AT_ONCE
    for (int r = by() * per + warp(); r < last; r += 8) {
      float d = number(dy, (i64)r * dys + j, half);
      b += d;
      g += d * ((x[(i64)r * xs + j] - mean[r]) * rstd[r]);
    }
  column_parts(dgain, g, scratch, cols, j);
  column_parts(dbias, b, scratch, cols, j);
}

// col_sum sums columns over the rows of part by(): [parts, cols]. half: a is bfloat16.
KERNEL THREADS(256) col_sum(float *dst, const void *a, int as, int rows, int cols, int per, int half) {
  SHARED float scratch[256];
  int j = bx() * 32 + lane(), last = imin(rows, (by() + 1) * per);
  float s = 0.0f;
  if (j < cols)
#pragma unroll AT_ONCE
    for (int r = by() * per + warp(); r < last; r += 8) s += number(a, (i64)r * as + j, half);
  column_parts(dst, s, scratch, cols, j);
}

KERNEL THREADS(256) l2_normalize(float *y, int ys, const float *x, int xs, float *norm, int rows, int cols) {
  int r = my_row();
  if (r >= rows) return;
  x += (i64)r * xs;
  y += (i64)r * ys;
  float s = 0.0f;
  for (int j = lane(); j < cols; j += 32) s += x[j] * x[j];
  float n = sqrtf_(warp_sum(s));
  for (int j = lane(); j < cols; j += 32) y[j] = x[j] / n;
  if (norm && lane() == 0) norm[r] = n;
}

KERNEL THREADS(256) l2_normalize_grad(float *dx, int dxs, const float *dy, int dys, const float *y, int ys, const float *norm,
                                      int rows, int cols) {
  int r = my_row();
  if (r >= rows) return;
  y += (i64)r * ys;
  dy += (i64)r * dys;
  dx += (i64)r * dxs;
  float s = 0.0f, n = norm[r];
  for (int j = lane(); j < cols; j += 32) s += y[j] * dy[j];
  s = warp_sum(s);
  for (int j = lane(); j < cols; j += 32) dx[j] = (dy[j] - y[j] * s) / n;
}
