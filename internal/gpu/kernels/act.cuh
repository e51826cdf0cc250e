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

// activations are the activation at N places, or its derivative there. All kinds share one exponential, which keeps kernels short; without ERF they are all but
// ACT_GELU_ERF. y may be x.
template <int N, bool ERF> DEVICE void activations(int kind, float (&y)[N], const float (&at)[N], bool derivative) {
  const float c = 0.7978845608028654f;
  if (kind == ACT_NONE || kind == ACT_RELU) {
#pragma unroll
    for (int q = 0; q < N; q++) {
      float x = at[q];
      if (derivative) y[q] = kind == ACT_NONE || x > 0.0f ? 1.0f : 0.0f;
      else y[q] = kind == ACT_NONE || x > 0.0f || x != x ? x : 0.0f;
    }
    return;
  }
  float u[N], e[N];
#pragma unroll
  for (int q = 0; q < N; q++) {
    float x = at[q];
    u[q] = kind == ACT_TANH ? x : c * (x + 0.044715f * x * x * x);
    float p = kind == ACT_QUICK_GELU ? -1.702f * x : 2.0f * __builtin_fabsf(u[q]);
    if (ERF && kind == ACT_GELU_ERF) p = -0.5f * x * x;
    e[q] = expf_(p);
  }
  if (kind == ACT_QUICK_GELU) {
#pragma unroll
    for (int q = 0; q < N; q++) {
      float x = at[q], s = 1.0f / (1.0f + e[q]);
      y[q] = derivative ? s + 1.702f * x * s * (1.0f - s) : x * s;
    }
    return;
  }
  if (ERF && kind == ACT_GELU_ERF) {
#pragma unroll
    for (int q = 0; q < N; q++) {
      float x = at[q], h = 0.5f * (1.0f + erf_from(x * 0.7071067811865476f, e[q]));
      y[q] = derivative ? h + x * e[q] * 0.3989422804014327f : x * h;
    }
    return;
  }
#pragma unroll
  for (int q = 0; q < N; q++) {
    float x = at[q], t = tanh_from(u[q], e[q]);
    if (kind == ACT_TANH) y[q] = derivative ? 1.0f - t * t : t;
    else y[q] = derivative ? 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * c * (1.0f + 0.134145f * x * x) : 0.5f * x * (1.0f + t);
  }
}

// activation is one of them, of any kind.
DEVICE float activation(int kind, float x, bool derivative) {
  float v[1] = {x};
  activations<1, true>(kind, v, v, derivative);
  return v[0];
}

DEVICE float act(int kind, float x) { return activation(kind, x, false); }
DEVICE float act_grad(int kind, float x) { return activation(kind, x, true); }
