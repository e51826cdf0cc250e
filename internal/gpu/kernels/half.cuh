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

// rounded is v as bfloat16 holds it.
DEVICE float rounded(float v) { return __builtin_bit_cast(float, pack_bf16(v, 0.0f) << 16); }
