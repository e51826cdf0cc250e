// Products in bfloat16 of which an operand is in another form in memory. Four numbers at a time go from memory to registers while the tile before is multiplied, are rounded there, and
// stored to one of two tiles in shared memory, from where ldmatrix takes fragments. 16 bytes of a tile lie where the exclusive or of
// their column and some bits of their row says, so that no bank is asked twice, neither by a store nor by a fragment.
#pragma once
#include "finish.cuh"
#include "source.cuh"

#define BK 32 // depth of a tile

// place is where a block's tile of an m×n result begins. The grid is a line; down: neighbours lie below each other, else beside each other.
template <int BM, int BN> DEVICE void place(int m, int n, bool down, int &m0, int &n0) {
  int across = down ? (m + BM - 1) / BM : (n + BN - 1) / BN, i = bx() / across, j = bx() % across;
  m0 = (down ? j : i) * BM;
  n0 = (down ? i : j) * BN;
}

// HalfTile holds SIZE rows of the left, or columns of the right operand, BK deep: stored [i, k], or [k, i] where that is how the operand
// lies in memory.
template <int SIZE, bool BY_K> struct HalfTile {
  static const int rows = BY_K ? BK : SIZE, cols = BY_K ? SIZE : BK, bytes = 2 * SIZE * BK;
  // at is where 8 numbers of a row begin.
  DEVICE u32 at(int row, int chunk) {
    int swap = BY_K ? row & 7 : row >> 1 & 3;
    return (u32)(row * cols * 2 + (chunk ^ swap) * 16);
  }
  // fragments takes 16 rows i by 16 deep: of the left operand in the order of mma's registers, of the right those of its two halves.
  DEVICE void fragments(u32 (&f)[4], u32 tile, int i, int k, bool right) {
    int m = lane() >> 3, along = right ? m >> 1 : m & 1, deep = right ? m & 1 : m >> 1;
    if (BY_K) load_transposed(f, tile + at(k + 8 * deep + (lane() & 7), (i >> 3) + along));
    else load_matrices(f, tile + at(i + 8 * along + (lane() & 7), (k >> 3) + deep));
  }
};

// Staged is a thread's share of a tile on its way.
template <class S, int SIZE, bool BY_K, int T> struct Staged {
  typedef HalfTile<SIZE, BY_K> Tile;
  static const int n = SIZE * BK / 4 / T;
  typename S::Row row[n]; // where they stay the same
  u32 v[n][S::words];

  DEVICE int number(int q) { return (q * T + tid()) * 4; }
  DEVICE void begin(Staged &x, const S &s, int first) {
    if (!BY_K)
#pragma unroll
      for (int q = 0; q < n; q++) x.row[q] = S::row(s, first + number(q) / Tile::cols);
  }
  DEVICE void load(Staged &x, const S &s, int first, int k) {
#pragma unroll
    for (int q = 0; q < n; q++) {
      int i = number(q) / Tile::cols, j = number(q) % Tile::cols;
      if (BY_K) fetch(x.v[q], s, S::row(s, k + i), first + j);
      else fetch(x.v[q], s, x.row[q], k + j);
    }
  }
  // store_parts rounds to PARTS tiles whose sum is what was loaded: three hold float32.
  template <int PARTS> DEVICE void store_parts(Staged &x, char *tile) {
    if constexpr (PARTS == 1) {
      store(x, tile);
    } else {
#pragma unroll
      for (int q = 0; q < n; q++) {
        int i = number(q) / Tile::cols, j = number(q) % Tile::cols;
#pragma unroll
        for (int p = 0; p < PARTS; p++) {
          Words w = halves(x.v[q]);
          *(Words *)(tile + p * Tile::bytes + Tile::at(i, j >> 3) + (j & 4) * 2) = w;
          rest(x.v[q][0], x.v[q][1], w.a);
          rest(x.v[q][2], x.v[q][3], w.b);
        }
      }
    }
  }
  DEVICE void store(const Staged &x, char *tile) {
#pragma unroll
    for (int q = 0; q < n; q++) {
      int i = number(q) / Tile::cols, j = number(q) % Tile::cols;
      *(Words *)(tile + Tile::at(i, j >> 3) + (j & 4) * 2) = halves(x.v[q]);
    }
  }
};

// multiply adds the products of a warp's rows and columns of two tiles in shared memory, the left in PARTS. The sums of several are exact but for what
// tensor cores cut off, so they are added by ordinary arithmetic (mma_tf32x3).
template <class A, class B, int WM, int WN, int PARTS> DEVICE void multiply(float (&acc)[WM / 16][WN / 8][4], u32 left, u32 right, int wm, int wn) {
  const int MI = WM / 16, NI = WN / 8;
#pragma unroll PARTS > 1 ? 1 : 2 // or sums of parts take too many registers
  for (int kk = 0; kk < BK; kk += 16) {
    u32 fb[NI / 2][4];
#pragma unroll
    for (int j = 0; j < NI / 2; j++) B::fragments(fb[j], right, wn + 16 * j, kk, true);
#pragma unroll
    for (int i = 0; i < MI; i++) {
      float sum[PARTS > 1 ? NI : 1][4] = {};
#pragma unroll
      for (int p = PARTS - 1; p >= 0; p--) { // the least first
        u32 fa[4];
        A::fragments(fa, left + p * A::bytes, wm + 16 * i, kk, false);
#pragma unroll
        for (int j = 0; j < NI; j++) {
          u32 f[2] = {fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]};
          mma_bf16(PARTS > 1 ? sum[j] : acc[i][j], fa, f);
        }
      }
      if (PARTS > 1)
#pragma unroll
        for (int j = 0; j < NI; j++)
#pragma unroll
          for (int q = 0; q < 4; q++) acc[i][j][q] += sum[j][q];
    }
  }
}

// gemm_half is c = finish(op(a)·op(b)); TA and TB transpose. The left operand is in PARTS of bfloat16; scales, if there are any, are of the columns.
template <class SA, class SB, int BM, int BN, int WM, int WN, bool TA, bool TB, int PARTS = 1>
DEVICE void gemm_half(float *smem, float *c, int cs, const SA &a, const SB &b, int m, int n, int k, bool down, const Epilogue &e, const float *scales = nullptr) {
  const int T = BM / WM * (BN / WN) * 32;
  typedef HalfTile<BM, TA> A;
  typedef HalfTile<BN, !TB> B;
  const int stage = PARTS * A::bytes + B::bytes;
  int m0, n0, wm = warp() / (BN / WN) * WM, wn = warp() % (BN / WN) * WN;
  place<BM, BN>(m, n, down, m0, n0);
  char *tiles = (char *)smem;
  u32 at = shared_address(smem);
  Staged<SA, BM, TA, T> sa;
  Staged<SB, BN, !TB, T> sb;
  sa.begin(sa, a, m0);
  sb.begin(sb, b, n0);
  float acc[WM / 16][WN / 8][4];
  clear(acc);
  int count = (k + BK - 1) / BK;
#pragma unroll 1
  for (int t = -1; t < count; t++) { // -1 only to load the first tile
    if (t + 1 < count) {
      sa.load(sa, a, m0, (t + 1) * BK);
      sb.load(sb, b, n0, (t + 1) * BK);
    }
    if (t >= 0) {
      u32 ta = at + (t & 1) * stage;
      multiply<A, B, WM, WN, PARTS>(acc, ta, ta + PARTS * A::bytes, wm, wn);
    }
    if (t + 1 < count) {
      sa.template store_parts<PARTS>(sa, tiles + ((t + 1) & 1) * stage);
      sb.store(sb, tiles + ((t + 1) & 1) * stage + PARTS * A::bytes);
    }
    barrier();
  }
  finish_sums<WM, WN>(smem, c, cs, acc, m0 + wm, m, n0 + wn, n, e, scales);
}
