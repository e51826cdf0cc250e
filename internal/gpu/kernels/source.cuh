// Where products find their operands: matrices in float32 or bfloat16, and images whose patches are the rows of a matrix that is never
// written down (an implicit product). All give four numbers of a row at a time, zeros where there are none.
#pragma once
#include "mma.cuh"

// Matrix is [rows, cols] with rows stride apart. wide: they begin on 16 bytes.
struct Matrix {
  static const int words = 4; // that hold four numbers
  static const bool copied = true; // to shared memory as it is
  const float *x;
  int stride, rows, cols;
  bool wide;

  // Row is one row; cols is 0 where there is none.
  struct Row {
    const float *x;
    int cols;
  };
  DEVICE Row row(const Matrix &s, int i) { return Row{s.x + (i64)i * s.stride, i < s.rows ? s.cols : 0}; }
  // quad is how many of the four numbers from column j on are there, and where they begin.
  DEVICE int quad(const Matrix &s, const Row &r, int j, const float *&at) {
    int n = imin(4, imax(0, r.cols - j));
    at = n ? r.x + j : s.x;
    return n;
  }
  // one tells whether column j is there, and where.
  DEVICE bool one(const Matrix &s, const Row &r, int j, const float *&at) {
    at = j < r.cols ? r.x + j : s.x;
    return j < r.cols;
  }
};

// Patches are [images·oh·ow, k·k·c] of images [images·h·w, c]. wide: four columns lie together on 16 bytes, in one pixel or in an image
// without a border.
struct Patches {
  static const int words = 4;
  static const bool copied = true;
  const float *x;
  int h, w, c, k, stride, pad, oh, ow, rows, cols;
  bool wide;

  struct Row {
    const float *x; // of the upper left corner, which may lie beyond the image
    int top, left;
    bool in;
  };
  DEVICE Row row(const Patches &s, int i) {
    int n = i / (s.oh * s.ow), at = i % (s.oh * s.ow), top = at / s.ow * s.stride - s.pad, left = at % s.ow * s.stride - s.pad;
    return Row{s.x + (((i64)n * s.h + top) * s.w + left) * s.c, top, left, i < s.rows};
  }
  DEVICE bool one(const Patches &s, const Row &r, int j, const float *&at) {
    int line = s.k * s.c, ky = j / line, along = j - ky * line, y = r.top + ky, x = r.left + along / s.c;
    bool in = r.in && j < s.cols && y >= 0 && y < s.h && x >= 0 && x < s.w;
    at = in ? r.x + (i64)ky * s.w * s.c + along : s.x;
    return in;
  }
  DEVICE int quad(const Patches &s, const Row &r, int j, const float *&at) { return one(s, r, j, at) ? 4 : 0; }
};

// Halves is a matrix in bfloat16. wide: rows begin on 8 bytes.
struct Halves {
  static const int words = 2;
  const unsigned short *x;
  int stride, rows, cols;
  bool wide;

  struct Row {
    const unsigned short *x;
    int cols;
  };
  DEVICE Row row(const Halves &s, int i) { return Row{s.x + (i64)i * s.stride, i < s.rows ? s.cols : 0}; }
};

// Bytes is a matrix in int8, whose scales come in after the product. wide: rows begin on 4 bytes.
struct Bytes {
  static const int words = 1;
  const signed char *x;
  int stride, rows, cols;
  bool wide;

  struct Row {
    const signed char *x;
    int cols;
  };
  DEVICE Row row(const Bytes &s, int i) { return Row{s.x + (i64)i * s.stride, i < s.rows ? s.cols : 0}; }
};

// Scaled is int8 with a scale a row or a column.
struct Scaled {
  static const bool copied = false;
  Bytes bytes;
  const float *scales;
  bool by_row;
};

// fetch starts reading four numbers to registers.
template <class S> DEVICE void fetch(u32 (&v)[4], const S &s, const typename S::Row &r, int j) {
  const float *at;
  int n = s.wide ? S::quad(s, r, j, at) : 0;
  if (n == 4) {
    Quad q = *(const Quad *)at;
#pragma unroll
    for (int t = 0; t < 4; t++) v[t] = __builtin_bit_cast(u32, q.x[t]);
    return;
  }
#pragma unroll
  for (int t = 0; t < 4; t++) v[t] = S::one(s, r, j + t, at) ? __builtin_bit_cast(u32, *at) : 0;
}
DEVICE void fetch(u32 (&v)[2], const Halves &s, const Halves::Row &r, int j) {
  if (s.wide && j + 4 <= r.cols) {
    Words w = *(const Words *)(r.x + j);
    v[0] = w.a;
    v[1] = w.b;
    return;
  }
#pragma unroll
  for (int t = 0; t < 2; t++)
    v[t] = (j + 2 * t < r.cols ? (u32)r.x[j + 2 * t] : 0) | (j + 2 * t + 1 < r.cols ? (u32)r.x[j + 2 * t + 1] << 16 : 0);
}

DEVICE void fetch(u32 (&v)[1], const Bytes &s, const Bytes::Row &r, int j) {
  if (s.wide && j + 4 <= r.cols) {
    v[0] = *(const u32 *)(r.x + j);
    return;
  }
  v[0] = 0;
#pragma unroll
  for (int t = 0; t < 4; t++)
    if (j + t < r.cols) v[0] |= (u32)(unsigned char)r.x[j + t] << 8 * t;
}

// halves is four numbers in bfloat16, which holds every int8.
DEVICE Words halves(const u32 (&v)[4]) {
  return Words{pack_bf16(__builtin_bit_cast(float, v[0]), __builtin_bit_cast(float, v[1])),
               pack_bf16(__builtin_bit_cast(float, v[2]), __builtin_bit_cast(float, v[3]))};
}
DEVICE Words halves(const u32 (&v)[2]) { return Words{v[0], v[1]}; }
DEVICE Words halves(const u32 (&v)[1]) {
  float x[4];
#pragma unroll
  for (int t = 0; t < 4; t++) x[t] = (float)((int)(v[0] << (24 - 8 * t)) >> 24);
  return Words{pack_bf16(x[0], x[1]), pack_bf16(x[2], x[3])};
}

// rest is what two numbers in bfloat16 leave out of the floats x and y, which it replaces.
DEVICE void rest(u32 &x, u32 &y, u32 both) {
  x = __builtin_bit_cast(u32, __builtin_bit_cast(float, x) - __builtin_bit_cast(float, both << 16));
  y = __builtin_bit_cast(u32, __builtin_bit_cast(float, y) - __builtin_bit_cast(float, both & 0xffff0000u));
}
