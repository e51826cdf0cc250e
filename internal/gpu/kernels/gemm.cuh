// Matrix products c [m, n] = finish(op(a)·op(b)) of row-major matrices in float32, in tiles of BM×BN a block. Tiles of the
// operands travel to shared memory by asynchronous copies, STAGES deep, and are multiplied there, on tensor cores with
// operands rounded on the way to registers, or by ordinary arithmetic.
#pragma once
#include "epilogue.cuh"
#include "mma.cuh"

enum { FLOAT32, TF32X3, BFLOAT16, TF32 };

#define BK 32 // depth of a tile

// load_tile starts copying the R×C tile at (row, col) of a matrix [rows, cols] to shared memory with rows LD apart; zeros
// lie beyond the matrix. wide: rows begin on 16 bytes.
template <int R, int C, int LD, int T> DEVICE void load_tile(float *dst, const float *src, int stride, int row, int rows, int col, int cols, bool wide) {
  u32 d = shared_address(dst);
#pragma unroll
  for (int q = 0; q < R * C / 4 / T; q++) {
    int e = (q * T + tid()) * 4, i = e / C, j = e % C;
    int left = row + i < rows ? imin(4, imax(0, cols - col - j)) : 0;
    const float *s = left ? src + (i64)(row + i) * stride + col + j : src;
    u32 at = d + (u32)(i * LD + j) * 4;
    if (wide) {
      copy_async16(at, s, left * 4);
    } else {
#pragma unroll 1
      for (int k = 0; k < 4; k++) copy_async4(at + 4 * k, k < left ? s + k : src, k < left ? 4 : 0);
    }
  }
}

// Operand reads element (i, k) of a tile: stored [i, k], or [k, i] when transposed.
template <int SIZE, bool BY_K> struct Tile {
  static const int rows = BY_K ? BK : SIZE, cols = BY_K ? SIZE : BK, ld = cols + (BY_K ? 8 : 4), floats = rows * ld;
  DEVICE float get(const float *s, int i, int k) { return BY_K ? s[k * ld + i] : s[i * ld + k]; }
  // pair is elements k and k+1, k even, in bfloat16: one load where they lie together.
  DEVICE u32 pair(const float *s, int i, int k) {
    if (BY_K) return pack_bf16(get(s, i, k), get(s, i, k + 1));
    Pair x = *(const Pair *)(s + i * ld + k);
    return pack_bf16(x.a, x.b);
  }
};

template <int MODE> DEVICE void fragment_a(u32 (&hi)[4], u32 (&lo)[4], const float (&x)[4]) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    hi[i] = tf32(x[i]);
    if (MODE == TF32X3) lo[i] = tf32(x[i] - __builtin_bit_cast(float, hi[i]));
  }
}

template <int MODE, int BM, int BN, int WM, int WN, int STAGES, bool TA, bool TB>
DEVICE void gemm(float *smem, float *c, int cs, const float *a, int as, const float *b, int bs, int m, int n, int k, int wide, const Epilogue &e) {
  const int T = BM / WM * (BN / WN) * 32;
  typedef Tile<BM, TA> A;
  typedef Tile<BN, !TB> B;
  const int stage = A::floats + B::floats;
  int m0 = by() * BM, n0 = bx() * BN;
  auto load = [&](int t) {
    float *s = smem + t % STAGES * stage;
    if (TA) load_tile<A::rows, A::cols, A::ld, T>(s, a, as, t * BK, k, m0, m, wide & 1);
    else load_tile<A::rows, A::cols, A::ld, T>(s, a, as, m0, m, t * BK, k, wide & 1);
    s += A::floats;
    if (TB) load_tile<B::rows, B::cols, B::ld, T>(s, b, bs, n0, n, t * BK, k, wide & 2);
    else load_tile<B::rows, B::cols, B::ld, T>(s, b, bs, t * BK, k, n0, n, wide & 2);
  };
  int tiles = (k + BK - 1) / BK;
  // Tensor cores: a warp has WM×WN sums, in pieces of 16×8. Ordinary arithmetic: a thread has rows ty+8i, columns tx+16j.
  const int MI = MODE == FLOAT32 ? BM / 8 : WM / 16, NI = MODE == FLOAT32 ? BN / 16 : WN / 8;
  float acc[MI][NI][MODE == FLOAT32 ? 1 : 4];
#pragma unroll
  for (int i = 0; i < MI; i++)
#pragma unroll
    for (int j = 0; j < NI; j++)
#pragma unroll
      for (int q = 0; q < (MODE == FLOAT32 ? 1 : 4); q++) acc[i][j][q] = 0.0f;
  int g = lane() >> 2, q = lane() & 3, wm = warp() / (BN / WN) * WM, wn = warp() % (BN / WN) * WN;
  int ty = tid() >> 4, tx = tid() & 15;
#pragma unroll 1
  for (int t = 1 - STAGES; t < tiles; t++) { // below 0 only to start the first copies
    if (t >= 0) {
      copy_wait<STAGES - 2>();
      barrier();
    }
    if (t + STAGES - 1 < tiles) load(t + STAGES - 1);
    copy_commit();
    if (t < 0) continue;
    const float *sa = smem + t % STAGES * stage, *sb = sa + A::floats;
    if constexpr (MODE == FLOAT32) {
#pragma unroll 1
      for (int kk = 0; kk < BK; kk++) {
        float x[MI], y[NI];
#pragma unroll
        for (int i = 0; i < MI; i++) x[i] = A::get(sa, ty + 8 * i, kk);
#pragma unroll
        for (int j = 0; j < NI; j++) y[j] = B::get(sb, tx + 16 * j, kk);
#pragma unroll
        for (int i = 0; i < MI; i++)
#pragma unroll
          for (int j = 0; j < NI; j++) acc[i][j][0] += x[i] * y[j];
      }
    } else if constexpr (MODE == BFLOAT16) {
#pragma unroll 1
      for (int kk = 0; kk < BK; kk += 16) {
        u32 fb[NI][2];
#pragma unroll
        for (int j = 0; j < NI; j++)
#pragma unroll
          for (int h = 0; h < 2; h++) {
            int col = wn + 8 * j + g, r = kk + 2 * q + 8 * h;
            fb[j][h] = B::pair(sb, col, r);
          }
#pragma unroll
        for (int i = 0; i < MI; i++) {
          u32 fa[4];
#pragma unroll
          for (int h = 0; h < 4; h++) {
            int row = wm + 16 * i + g + 8 * (h & 1), r = kk + 2 * q + 8 * (h >> 1);
            fa[h] = A::pair(sa, row, r);
          }
#pragma unroll
          for (int j = 0; j < NI; j++) mma_bf16(acc[i][j], fa, fb[j]);
        }
      }
    } else {
#pragma unroll 1
      for (int kk = 0; kk < BK; kk += 8) {
        u32 fb[NI][2], lb[NI][2];
#pragma unroll
        for (int j = 0; j < NI; j++)
#pragma unroll
          for (int h = 0; h < 2; h++) {
            float x = B::get(sb, wn + 8 * j + g, kk + q + 4 * h);
            fb[j][h] = tf32(x);
            if (MODE == TF32X3) lb[j][h] = tf32(x - __builtin_bit_cast(float, fb[j][h]));
          }
#pragma unroll
        for (int i = 0; i < MI; i++) {
          float x[4];
          u32 fa[4], la[4];
#pragma unroll
          for (int h = 0; h < 4; h++) x[h] = A::get(sa, wm + 16 * i + g + 8 * (h & 1), kk + q + 4 * (h >> 1));
          fragment_a<MODE>(fa, la, x);
#pragma unroll
          for (int j = 0; j < NI; j++) {
            if (MODE == TF32X3) {
              mma_tf32(acc[i][j], la, fb[j]);
              mma_tf32(acc[i][j], fa, lb[j]);
            }
            mma_tf32(acc[i][j], fa, fb[j]);
          }
        }
      }
    }
  }
  copy_wait<0>();
  barrier();
  // The sums go through shared memory, so that rows are stored whole and the epilogue is there once.
  const int LD = BN + 4;
#pragma unroll
  for (int i = 0; i < MI; i++)
#pragma unroll
    for (int j = 0; j < NI; j++) {
      if constexpr (MODE == FLOAT32) {
        smem[(ty + 8 * i) * LD + tx + 16 * j] = acc[i][j][0];
      } else {
#pragma unroll
        for (int h = 0; h < 4; h++) smem[(wm + 16 * i + g + 8 * (h >> 1)) * LD + wn + 8 * j + 2 * q + (h & 1)] = acc[i][j][h];
      }
    }
  barrier();
#pragma unroll 1
  for (int x = tid(); x < BM * BN; x += T) {
    int i = x / BN, j = x % BN;
    if (m0 + i < m && n0 + j < n) c[(i64)(m0 + i) * cs + n0 + j] = finish(e, smem[i * LD + j], m0 + i, n0 + j);
  }
}
