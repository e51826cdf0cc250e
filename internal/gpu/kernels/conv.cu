// Convolution of images [n·h·w, channels] as a product of patches, and pooling. One thread an element.
#include "device.cuh"

// patches is [n·oh·ow, k·k·c], zero where a patch leaves the image.
KERNEL im2col(float *patches, const float *x, i64 count, int h, int w, int c, int k, int stride, int pad, int oh, int ow) {
  i64 e = (i64)bx() * threads() + tid();
  if (e >= count) return;
  int ch = (int)(e % c);
  i64 r = e / c;
  int kx = (int)(r % k);
  r /= k;
  int ky = (int)(r % k);
  r /= k;
  int ox = (int)(r % ow);
  r /= ow;
  int oy = (int)(r % oh);
  i64 n = r / oh;
  int y = oy * stride + ky - pad, xx = ox * stride + kx - pad;
  float v = 0.0f;
  if (y >= 0 && y < h && xx >= 0 && xx < w) v = x[((n * h + y) * w + xx) * c + ch];
  patches[e] = v;
}

// col2im adds up what the patches' gradients bring to an element of dx, in a fixed order.
KERNEL col2im(float *dx, const float *patches, i64 count, int h, int w, int c, int k, int stride, int pad, int oh, int ow) {
  i64 e = (i64)bx() * threads() + tid();
  if (e >= count) return;
  int ch = (int)(e % c);
  i64 r = e / c;
  int x = (int)(r % w);
  r /= w;
  int y = (int)(r % h);
  i64 n = r / h;
  float s = 0.0f;
  for (int ky = 0; ky < k; ky++) {
    int t = y + pad - ky;
    if (t < 0 || t % stride || t / stride >= oh) continue;
    for (int kx = 0; kx < k; kx++) {
      int u = x + pad - kx;
      if (u < 0 || u % stride || u / stride >= ow) continue;
      s += patches[((((n * oh + t / stride) * ow + u / stride) * k + ky) * k + kx) * c + ch];
    }
  }
  dx[e] = s;
}

// flip_filters makes of w [filters, k·k·c] the filters [c, k·k·filters] of a convolution of dy that gives dx where the stride is 1.
KERNEL flip_filters(float *out, const float *w, int ws, i64 count, int k, int c, int filters) {
  i64 e = (i64)bx() * threads() + tid();
  if (e >= count) return;
  int f = (int)(e % filters);
  i64 r = e / filters;
  int at = (int)(r % (k * k));
  out[e] = w[(i64)f * ws + (i64)(k * k - 1 - at) * c + r / (k * k)];
}

// avg_pool averages k×k squares; what is left over at the right and bottom is not looked at.
KERNEL avg_pool(float *y, const float *x, i64 count, int h, int w, int c, int k) {
  i64 e = (i64)bx() * threads() + tid();
  if (e >= count) return;
  int oh = h / k, ow = w / k, ch = (int)(e % c);
  i64 r = e / c;
  int ox = (int)(r % ow);
  r /= ow;
  int oy = (int)(r % oh);
  i64 n = r / oh;
  float s = 0.0f;
  for (int i = 0; i < k; i++)
    for (int j = 0; j < k; j++) s += x[((n * h + oy * k + i) * w + ox * k + j) * c + ch];
  y[e] = s / (float)(k * k);
}

KERNEL avg_pool_grad(float *dx, const float *dy, i64 count, int h, int w, int c, int k) {
  i64 e = (i64)bx() * threads() + tid();
  if (e >= count) return;
  int oh = h / k, ow = w / k, ch = (int)(e % c);
  i64 r = e / c;
  int x = (int)(r % w);
  r /= w;
  int y = (int)(r % h);
  i64 n = r / h;
  float v = 0.0f;
  if (y / k < oh && x / k < ow) v = dy[((n * oh + y / k) * ow + x / k) * c + ch] / (float)(k * k);
  dx[e] = v;
}
