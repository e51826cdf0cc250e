// How the sums of a warp reach memory.
#pragma once
#include "epilogue.cuh"
#include "mma.cuh"

template <int MI, int NI, int N> DEVICE void clear(float (&acc)[MI][NI][N]) {
#pragma unroll
  for (int i = 0; i < MI; i++)
#pragma unroll
    for (int j = 0; j < NI; j++)
#pragma unroll
      for (int q = 0; q < N; q++) acc[i][j][q] = 0.0f;
}

// finish_sums stores a warp's WM×WN sums, which begin at (row, col), 16 rows at a time by way of shared memory of the warp's own, so that rows are stored whole
// and the epilogue is there once. Shared memory is the block's: 16·(WN+8) floats a warp, which nobody reads any more.
template <int WM, int WN> DEVICE void finish_sums(float *smem, float *c, int cs, const float (&acc)[WM / 16][WN / 8][4], int row, int m, int col, int n, const Epilogue &e,
                                                     const float *scales = nullptr) {
  const int LD = WN + 8; // four rows of pairs meet no bank twice
  float *own = smem + warp() * 16 * LD;
  int g = lane() >> 2, q = lane() & 3;
#pragma unroll
  for (int i = 0; i < WM / 16; i++) {
    warp_barrier();
#pragma unroll
    for (int j = 0; j < WN / 8; j++)
#pragma unroll
      for (int h = 0; h < 2; h++) *(Pair *)(own + (g + 8 * h) * LD + 8 * j + 2 * q) = Pair{acc[i][j][2 * h], acc[i][j][2 * h + 1]};
    warp_barrier();
#pragma unroll 1
    for (int x = lane(); x < 16 * WN; x += 32) {
      int r = row + 16 * i + x / WN, j = col + x % WN;
      if (r < m && j < n) finish_to(c, cs, e, own[x / WN * LD + x % WN] * (scales ? scales[j] : 1.0f), r, j);
    }
  }
}
