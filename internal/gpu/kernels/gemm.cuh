// Matrix products c [m, n] = finish(op(a)·op(b)) of row-major matrices in float32, in tiles of BM×BN a block. Tiles of the
// operands travel to shared memory by asynchronous copies, STAGES deep, and are multiplied there, on tensor cores with
// operands rounded to tf32 on the way to registers, or by ordinary arithmetic. Products in bfloat16 are in gemm_half.cuh and gemm_copied.cuh.
#pragma once
#include "gemm_half.cuh"

enum { FLOAT32, TF32X3, BFLOAT16, TF32 };

// load_tile starts copying the R×C tile at (row, col) of a source to shared memory with rows LD apart.
template <int R, int C, int LD, int T, class S> DEVICE void load_tile(float *dst, const S &s, int row, int col) {
  u32 d = shared_address(dst);
#pragma unroll
  for (int q = 0; q < R * C / 4 / T; q++) {
    int x = (q * T + tid()) * 4, i = x / C, j = x % C;
    u32 at = d + (u32)(i * LD + j) * 4;
    typename S::Row r = S::row(s, row + i);
    const float *from;
    if (s.wide) {
      int n = S::quad(s, r, col + j, from);
      copy_async16(at, from, n * 4);
    } else {
#pragma unroll 1
      for (int k = 0; k < 4; k++) {
        bool in = S::one(s, r, col + j + k, from);
        copy_async4(at + 4 * k, from, in ? 4 : 0);
      }
    }
  }
}

// Tile holds SIZE rows of the left, or columns of the right operand: stored [i, k], or [k, i] where that is how the operand lies in memory. Rows are
// so far apart that neither ldmatrix's rows nor a fragment's single numbers meet in a bank.
template <int SIZE, bool BY_K> struct Tile {
  static const int rows = BY_K ? BK : SIZE, cols = BY_K ? SIZE : BK, ld = cols + (BY_K ? 8 : 4), floats = rows * ld;
  DEVICE float get(const float *s, int i, int k) { return BY_K ? s[k * ld + i] : s[i * ld + k]; }
  // fragments takes 16 rows i by 8 deep: of the left operand in the order of mma's registers, of the right those of its two halves.
  DEVICE void fragments(float (&f)[4], const float *s, int i, int k, bool right) {
    if (BY_K) {
      int g = lane() >> 2, q = lane() & 3;
#pragma unroll
      for (int m = 0; m < 4; m++) f[m] = get(s, i + g + 8 * (right ? m >> 1 : m & 1), k + q + 4 * (right ? m & 1 : m >> 1));
      return;
    }
    int m = lane() >> 3, along = right ? m >> 1 : m & 1, deep = right ? m & 1 : m >> 1;
    u32 r[4];
    load_matrices(r, shared_address(s + (i + 8 * along + (lane() & 7)) * ld + k + 4 * deep));
#pragma unroll
    for (int m = 0; m < 4; m++) f[m] = __builtin_bit_cast(float, r[m]);
  }
};

// Widened is a thread's share of a tile of int8 on its way to shared memory as float32: four numbers and their scales at a time.
template <class TILE, int T> struct Widened {
  static const int n = TILE::rows * TILE::cols / 4 / T;
  u32 v[n][1];
  float scale[n][4];

  DEVICE void load(Widened &x, const Scaled &s, int row, int col) {
#pragma unroll
    for (int q = 0; q < n; q++) {
      int e = (q * T + tid()) * 4, i = row + e / TILE::cols, j = col + e % TILE::cols;
      fetch(x.v[q], s.bytes, Bytes::row(s.bytes, i), j);
#pragma unroll
      for (int t = 0; t < 4; t++) {
        int at = s.by_row ? i : j + t;
        x.scale[q][t] = at < (s.by_row ? s.bytes.rows : s.bytes.cols) ? s.scales[at] : 0.0f;
      }
    }
  }
  DEVICE void store(const Widened &x, float *tile) {
#pragma unroll
    for (int q = 0; q < n; q++) {
      int e = (q * T + tid()) * 4;
      Quad f;
#pragma unroll
      for (int t = 0; t < 4; t++) f.x[t] = (float)((int)(x.v[q][0] << (24 - 8 * t)) >> 24) * x.scale[q][t];
      *(Quad *)(tile + e / TILE::cols * TILE::ld + e % TILE::cols) = f;
    }
  }
};

// split is a fragment in tf32, and for MODE TF32X3 what that leaves out.
template <int MODE> DEVICE void split(u32 (&hi)[4], u32 (&lo)[4], const float (&x)[4]) {
#pragma unroll
  for (int i = 0; i < 4; i++)
    if (MODE == TF32X3) parts_of(hi[i], lo[i], x[i]);
    else hi[i] = tf32(x[i]);
}

template <int MODE, class SA, int BM, int BN, int WM, int WN, int STAGES, bool TA, bool TB, class SB = Matrix>
DEVICE void gemm(float *smem, float *c, int cs, const SA &a, const SB &b, int m, int n, int k, bool down, const Epilogue &e) {
  const int T = BM / WM * (BN / WN) * 32;
  typedef Tile<BM, TA> A;
  typedef Tile<BN, !TB> B;
  const int stage = A::floats + B::floats;
  int m0, n0;
  place<BM, BN>(m, n, down, m0, n0);
  int tiles = (k + BK - 1) / BK;
  Widened<B, T> by_way; // of no use to the others
  auto load = [&](int t) {
    float *s = smem + t % STAGES * stage;
    load_tile<A::rows, A::cols, A::ld, T>(s, a, TA ? t * BK : m0, TA ? m0 : t * BK);
    if constexpr (SB::copied) load_tile<B::rows, B::cols, B::ld, T>(s + A::floats, b, TB ? n0 : t * BK, TB ? t * BK : n0);
    else by_way.load(by_way, b, TB ? n0 : t * BK, TB ? t * BK : n0);
  };
  // What cannot be copied as it is lies in registers while the tile before it is multiplied.
  auto arrive = [&](int t) {
    if constexpr (!SB::copied)
      if (t < tiles) by_way.store(by_way, smem + t % STAGES * stage + A::floats);
  };
  // Tensor cores: a warp has WM×WN sums, in pieces of 16×8. Ordinary arithmetic: a thread has rows ty+8i, columns tx+16j.
  const int MI = MODE == FLOAT32 ? BM / 8 : WM / 16, NI = MODE == FLOAT32 ? BN / 16 : WN / 8;
  float acc[MI][NI][MODE == FLOAT32 ? 1 : 4];
  clear(acc);
  int wm = warp() / (BN / WN) * WM, wn = warp() % (BN / WN) * WN, ty = tid() >> 4, tx = tid() & 15;
#pragma unroll 1
  for (int t = 1 - STAGES; t < tiles; t++) { // below 0 only to start the first copies
    if (t >= 0) {
      copy_wait<STAGES - 2>();
      barrier();
    }
    if (t + STAGES - 1 < tiles) load(t + STAGES - 1);
    copy_commit();
    if (t < 0) {
      arrive(t + 1);
      continue;
    }
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
      arrive(t + 1);
    } else {
#pragma unroll 1
      for (int kk = 0; kk < BK; kk += 8) {
        u32 fb[NI / 2][4], lb[NI / 2][4];
#pragma unroll
        for (int j = 0; j < NI / 2; j++) {
          float x[4];
          B::fragments(x, sb, wn + 16 * j, kk, true);
          split<MODE>(fb[j], lb[j], x);
        }
#pragma unroll
        for (int i = 0; i < MI; i++) {
          float x[4];
          u32 fa[4], la[4];
          A::fragments(x, sa, wm + 16 * i, kk, false);
          split<MODE>(fa, la, x);
#pragma unroll
          for (int j = 0; j < NI; j++) {
            u32 b[2] = {fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]};
            if constexpr (MODE == TF32X3) {
              u32 rest[2] = {lb[j / 2][j % 2 * 2], lb[j / 2][j % 2 * 2 + 1]};
              mma_tf32x3(acc[i][j], fa, la, b, rest);
            } else {
              mma_tf32(acc[i][j], fa, b);
            }
          }
        }
      }
    }
  }
  copy_wait<0>();
  barrier();
  if constexpr (MODE == FLOAT32) { // by way of shared memory, so that the epilogue is there once
    const int LD = BN + 4;
#pragma unroll
    for (int i = 0; i < MI; i++)
#pragma unroll
      for (int j = 0; j < NI; j++) smem[(ty + 8 * i) * LD + tx + 16 * j] = acc[i][j][0];
    barrier();
#pragma unroll 1
    for (int x = tid(); x < BM * BN; x += T) {
      int i = x / BN, j = x % BN;
      if (m0 + i < m && n0 + j < n) c[(i64)(m0 + i) * cs + n0 + j] = finish(e, smem[i * LD + j], m0 + i, n0 + j);
    }
  } else {
    finish_sums<WM, WN>(smem, c, cs, acc, m0 + wm, m, n0 + wn, n, e);
  }
}
