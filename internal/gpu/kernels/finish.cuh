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
// and the epilogue is there once: by fours where everything begins where it must, then with eight numbers a lane under way. Shared memory is the block's:
// 16·(WN+8) floats a warp, on 16 bytes, which nobody reads any more.
template <int WM, int WN> DEVICE void finish_sums(float *smem, float *c, int cs, const float (&acc)[WM / 16][WN / 8][4], int row, int m, int col, int n, const Epilogue &e,
                                                     const float *scales = nullptr) {
  static_assert(WN == 32, "a lane has the same four columns of all its rows");
  const int LD = WN + 8; // neither four rows of pairs nor a row of fours meet a bank twice
  float *own = smem + warp() * 16 * LD;
  int g = lane() >> 2, q = lane() & 3, four = lane() % 8 * 4, jf = col + four;
  bool fours = by_fours(c, cs, e, n, scales);
  Quad bias = {}, factor = {{1.0f, 1.0f, 1.0f, 1.0f}};
  if (fours && jf < n) {
    if (e.bias) bias = *(const Quad *)(e.bias + jf);
    if (scales) factor = *(const Quad *)(scales + jf);
  }
#pragma unroll 1
  for (int i = 0; i < WM / 16; i++) {
    warp_barrier();
#pragma unroll
    for (int s = 0; s < WM / 16; s++)
      if (s == i)
#pragma unroll
        for (int j = 0; j < WN / 8; j++)
#pragma unroll
          for (int h = 0; h < 2; h++) *(Pair *)(own + (g + 8 * h) * LD + 8 * j + 2 * q) = Pair{acc[s][j][2 * h], acc[s][j][2 * h + 1]};
    warp_barrier();
    int first = row + 16 * i;
    if (fours) {
      if (jf < n && first < m)
#pragma unroll 1
        for (int r = lane() / 8; r < 16; r += 8) {
          float x[2][4];
          int rows[2] = {first + r, first + r + 4};
#pragma unroll
          for (int t = 0; t < 2; t++) {
            Quad v = *(const Quad *)(own + (r + 4 * t) * LD + four);
#pragma unroll
            for (int k = 0; k < 4; k++) x[t][k] = v.x[k] * factor.x[k];
          }
          finish_fours(c, cs, e, x, rows, jf, m, bias);
        }
      continue;
    }
    if (only_adds(e)) { // rows that begin anywhere, as those of logits do: four numbers a lane under way
#pragma unroll 1
      for (int x = lane(); x < 16 * WN; x += AT_ONCE * 32) {
        float f[AT_ONCE], b[AT_ONCE], add[AT_ONCE], v[AT_ONCE];
        bool in[AT_ONCE];
#pragma unroll
        for (int t = 0; t < AT_ONCE; t++) {
          int at = x + 32 * t, r = first + at / WN, j = col + at % WN;
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
          if (in[t]) put(c, (i64)(first + at / WN) * cs + col + at % WN, e.act & HALF_RESULT, e.act & POSITIVE && v[t] <= 0.0f ? 0.0f : v[t]);
        }
      }
      continue;
    }
#pragma unroll 1
    for (int x = lane(); x < 16 * WN; x += 32) {
      int r = first + x / WN, j = col + x % WN;
      if (r < m && j < n) finish_to(c, cs, e, own[x / WN * LD + x % WN] * (scales ? scales[j] : 1.0f), r, j);
    }
  }
}
