// Numbers of a matrix that is in float32 or, where half says so, in bfloat16.
#pragma once
#include "mma.cuh"

DEVICE float number(const void *x, i64 at, bool half) {
  return half ? __builtin_bit_cast(float, (u32)((const unsigned short *)x)[at] << 16) : ((const float *)x)[at];
}

// put stores a number, rounded where it must be.
DEVICE void put(void *x, i64 at, bool half, float v) {
  if (half) ((unsigned short *)x)[at] = (unsigned short)pack_bf16(v, 0.0f);
  else ((float *)x)[at] = v;
}

// Four are four neighbours as they lie in memory, in its first two words where they are bfloat16. They begin on 16 bytes, or on 8.
struct Four {
  u32 w[4];
};

// read_fours takes four neighbours each from N places of a matrix, all of them at once.
template <int N> DEVICE void read_fours(Four (&f)[N], const void *x, const i64 (&at)[N], bool half) {
  if (half)
#pragma unroll
    for (int t = 0; t < N; t++) {
      Words w = *(const Words *)((const unsigned short *)x + at[t]);
      f[t] = Four{{w.a, w.b, 0, 0}};
    }
  else
#pragma unroll
    for (int t = 0; t < N; t++) f[t] = __builtin_bit_cast(Four, *(const Quad *)((const float *)x + at[t]));
}

// numbers are the numbers of a Four.
DEVICE void numbers(float (&v)[4], const Four &f, bool half) {
  v[0] = __builtin_bit_cast(float, half ? f.w[0] << 16 : f.w[0]);
  v[1] = __builtin_bit_cast(float, half ? f.w[0] & 0xffff0000u : f.w[1]);
  v[2] = __builtin_bit_cast(float, half ? f.w[1] << 16 : f.w[2]);
  v[3] = __builtin_bit_cast(float, half ? f.w[1] & 0xffff0000u : f.w[3]);
}

// put_four stores four neighbours, rounded where they must be.
DEVICE void put_four(void *x, i64 at, bool half, const float (&v)[4]) {
  if (half) *(Words *)((unsigned short *)x + at) = Words{pack_bf16(v[0], v[1]), pack_bf16(v[2], v[3])};
  else *(Quad *)((float *)x + at) = Quad{{v[0], v[1], v[2], v[3]}};
}

// fours_begin tells whether four neighbours lie in memory as Four wants them, wherever a multiple of four of them begins.
DEVICE bool fours_begin(const void *x, int stride, bool half) { return !(((u64)x & (half ? 7 : 15)) | (stride & 3)); }

// rounded is v as bfloat16 holds it.
DEVICE float rounded(float v) { return __builtin_bit_cast(float, pack_bf16(v, 0.0f) << 16); }
