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
    if (only_adds(e)) { // then many residuals can be under way
#pragma unroll 1
      for (int x = lane(); x < 16 * WN; x += AT_ONCE * 32) {
        float f[AT_ONCE], b[AT_ONCE], add[AT_ONCE], v[AT_ONCE];
        bool in[AT_ONCE];
#pragma unroll
        for (int t = 0; t < AT_ONCE; t++) {
          int at = x + 32 * t, r = row + 16 * i + at / WN, j = col + at % WN;
          in[t] = r < m && j < n;
          f[t] = in[t] && scales ? scales[j] : 1.0f;
          b[t] = in[t] && e.bias ? e.bias[j] : 0.0f;
          add[t] = in[t] && e.residual ? e.residual[(i64)r * e.rs + j] : 0.0f;
        }
#pragma unroll
        for (int t = 0; t < AT_ONCE; t++) {
          int at = x + 32 * t;
          v[t] = own[at / WN * LD + at % WN] * f[t] + b[t] + add[t];
        }
#pragma unroll
        for (int t = 0; t < AT_ONCE; t++) {
          int at = x + 32 * t;
          if (in[t]) put(c, (i64)(row + 16 * i + at / WN) * cs + col + at % WN, e.act & HALF_RESULT, e.act & POSITIVE && v[t] <= 0.0f ? 0.0f : v[t]);
        }
      }
      continue;
    }
#pragma unroll 1
    for (int x = lane(); x < 16 * WN; x += 32) {
      int r = row + 16 * i + x / WN, j = col + x % WN;
      if (r < m && j < n) finish_to(c, cs, e, own[x / WN * LD + x % WN] * (scales ? scales[j] : 1.0f), r, j);
    }
  }
}
