// The activations and their derivatives, numbered as in the Go package.
#pragma once
#include "device.cuh"

enum { ACT_NONE, ACT_GELU_TANH, ACT_QUICK_GELU, ACT_GELU_ERF, ACT_RELU, ACT_TANH };

// tanh_from is tanh u for e = e^(2|u|). Near 0 the odd Taylor polynomial keeps the relative error small, which 1-2/(e+1) loses.
DEVICE float tanh_from(float u, float e) {
  float a = __builtin_fabsf(u), x = u * u;
  if (a < 0.25f)
    return u * (1.0f + x * (-0.333333333f + x * (0.133333333f + x * (-0.0539682540f + x * (0.0218694885f + x * -0.00886323553f)))));
  return __builtin_copysignf(1.0f - 2.0f / (e + 1.0f), u);
}

// erf_from is erf u for e = e^(-u²): the Maclaurin series below 1.5, and above it 1 - e·c(u) with the continued fraction of
// the complement.
DEVICE float erf_from(float u, float e) {
  float a = __builtin_fabsf(u), x = a * a;
  if (!(a < 4.0f)) return u == u ? __builtin_copysignf(1.0f, u) : u;
  if (a < 1.5f) {
    float term = 1.0f, sum = 0.0f;
#pragma unroll 1
    for (int n = 0; n < 18; n++) {
      sum += term / (float)(2 * n + 1);
      term *= -x / (float)(n + 1);
    }
    return 1.1283791670955126f * u * sum;
  }
  float f = a;
#pragma unroll 1
  for (int k = 24; k >= 1; k--) f = a + 0.5f * (float)k / f;
  return __builtin_copysignf(1.0f - e / (1.7724538509055160f * f), u);
}

// activation is the activation at x, or its derivative. All of them share one exponential, which keeps kernels short.
DEVICE float activation(int kind, float x, bool derivative) {
  const float c = 0.7978845608028654f;
  if (kind == ACT_NONE) return derivative ? 1.0f : x;
  if (kind == ACT_RELU) return derivative ? (x > 0.0f ? 1.0f : 0.0f) : (x > 0.0f || x != x ? x : 0.0f);
  float u = kind == ACT_TANH ? x : c * (x + 0.044715f * x * x * x), p = 2.0f * __builtin_fabsf(u);
  if (kind == ACT_QUICK_GELU) p = -1.702f * x;
  if (kind == ACT_GELU_ERF) p = -0.5f * x * x;
  float e = expf_(p);
  if (kind == ACT_QUICK_GELU) {
    float s = 1.0f / (1.0f + e);
    return derivative ? s + 1.702f * x * s * (1.0f - s) : x * s;
  }
  if (kind == ACT_GELU_ERF) {
    float h = 0.5f * (1.0f + erf_from(x * 0.7071067811865476f, e));
    return derivative ? h + x * e * 0.3989422804014327f : x * h;
  }
  float t = tanh_from(u, e);
  if (kind == ACT_TANH) return derivative ? 1.0f - t * t : t;
  return derivative ? 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * c * (1.0f + 0.134145f * x * x) : 0.5f * x * (1.0f + t);
}

DEVICE float act(int kind, float x) { return activation(kind, x, false); }
DEVICE float act_grad(int kind, float x) { return activation(kind, x, true); }
