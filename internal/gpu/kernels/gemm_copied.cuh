// Products of operands that are both in bfloat16 in memory: nothing is rounded on the way, so tiles travel to shared memory by asynchronous
// copies, STAGES deep, and lie there as in gemm_half.cuh.
#pragma once
#include "gemm_half.cuh"

// copy_tile starts copying to shared memory what a tile holds of a matrix whose rows begin on 16 bytes (wide); others go by way of registers.
template <int SIZE, bool BY_K, int T> DEVICE void copy_tile(char *tile, const Halves &s, int first, int k) {
  typedef HalfTile<SIZE, BY_K> Tile;
#pragma unroll
  for (int q = 0; q < SIZE * BK / 8 / T; q++) {
    int x = (q * T + tid()) * 8, i = x / Tile::cols, j = x % Tile::cols;
    Halves::Row r = Halves::row(s, (BY_K ? k : first) + i);
    char *at = tile + Tile::at(i, j >> 3);
    j += BY_K ? first : k;
    if (s.wide) {
      int n = imin(8, imax(0, r.cols - j));
      copy_async16(shared_address(at), n ? r.x + j : s.x, 2 * n);
      continue;
    }
    Quad words;
#pragma unroll
    for (int t = 0; t < 4; t++) {
      u32 lo = j + 2 * t < r.cols ? r.x[j + 2 * t] : 0, hi = j + 2 * t + 1 < r.cols ? r.x[j + 2 * t + 1] : 0;
      words.x[t] = __builtin_bit_cast(float, lo | hi << 16);
    }
    *(Quad *)at = words;
  }
}

// gemm_copied is c = finish(op(a)·op(b)); TA and TB transpose.
template <int BM, int BN, int WM, int WN, int STAGES, bool TA, bool TB>
DEVICE void gemm_copied(float *smem, float *c, int cs, const Halves &a, const Halves &b, int m, int n, int k, bool down, const Epilogue &e) {
  const int T = BM / WM * (BN / WN) * 32;
  typedef HalfTile<BM, TA> A;
  typedef HalfTile<BN, !TB> B;
  const int stage = A::bytes + B::bytes;
  int m0, n0, wm = warp() / (BN / WN) * WM, wn = warp() % (BN / WN) * WN;
  place<BM, BN>(m, n, down, m0, n0);
  char *tiles = (char *)smem;
  u32 at = shared_address(smem);
  float acc[WM / 16][WN / 8][4];
  clear(acc);
  int count = (k + BK - 1) / BK;
#pragma unroll 1
  for (int t = 1 - STAGES; t < count; t++) { // below 0 only to start the first copies
    if (t >= 0) {
      copy_wait<STAGES - 2>();
      barrier();
    }
    int next = t + STAGES - 1;
    if (next < count) {
      char *s = tiles + next % STAGES * stage;
      copy_tile<BM, TA, T>(s, a, m0, next * BK);
      copy_tile<BN, !TB, T>(s + A::bytes, b, n0, next * BK);
    }
    copy_commit();
    if (t < 0) continue;
    u32 left = at + t % STAGES * stage;
    multiply<A, B, WM, WN, 1>(acc, left, left + A::bytes, wm, wn);
  }
  copy_wait<0>();
  barrier();
  finish_sums<WM, WN>(smem, c, cs, acc, m0 + wm, m, n0 + wn, n, e);
}
