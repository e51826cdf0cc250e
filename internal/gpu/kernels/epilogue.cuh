// What a product does to its result before storing it, in this order: add bias, store it in pre, apply act, multiply
// by the derivative of grad_of at grad_pre, add residual, and where act has the bit POSITIVE take ReLU of that. Null pointers are left out.
// Bits of act say what is in bfloat16: the result, pre, and grad_pre. The activation is taken of what pre holds, so that it can be taken again.
#pragma once
#include "act.cuh"
#include "half.cuh"

#define POSITIVE 256
#define HALF_RESULT 512
#define HALF_PRE 1024
#define HALF_GRAD_PRE 2048

struct Epilogue {
  const float *bias;
  float *pre;
  const float *grad_pre, *residual;
  int ps, gs, rs; // distances of rows
  int act, grad_of;
};

#define EPILOGUE_PARAMS                                                                                                        \
  const float *bias, float *pre, int ps, const float *grad_pre, int gs, const float *residual, int rs, int act, int grad_of
#define EPILOGUE_ARGS                                                                                                          \
  Epilogue { bias, pre, grad_pre, residual, ps, gs, rs, act, grad_of }

DEVICE float finish(const Epilogue &e, float x, int i, int j) {
  if (e.bias) x += e.bias[j];
  if (e.pre) {
    put(e.pre, (i64)i * e.ps + j, e.act & HALF_PRE, x);
    if (e.act & HALF_PRE) x = rounded(x);
  }
  // act, then grad_of: a loop, so that the activations are compiled once.
#pragma unroll 1
  for (int grad = e.act & 255 ? 0 : 1; grad < (e.grad_pre ? 2 : 1); grad++) {
    float y = activation(grad ? e.grad_of : e.act & 255, grad ? number(e.grad_pre, (i64)i * e.gs + j, e.act & HALF_GRAD_PRE) : x, grad);
    x = grad ? x * y : y;
  }
  if (e.residual) x += e.residual[(i64)i * e.rs + j];
  return e.act & POSITIVE && x <= 0.0f ? 0.0f : x;
}

// only_adds tells whether nothing but bias and residual come to the result.
DEVICE bool only_adds(const Epilogue &e) { return !(e.act & 255) && !e.pre && !e.grad_pre; }

// finish_to stores what finish makes of x.
DEVICE void finish_to(float *c, int cs, const Epilogue &e, float x, int i, int j) { put(c, (i64)i * cs + j, e.act & HALF_RESULT, finish(e, x, i, j)); }

// by_fours tells whether finish_fours can do all of a result of n columns: everything begins where it must, and there is no activation that it leaves out.
DEVICE bool by_fours(const float *c, int cs, const Epilogue &e, int n, const float *scales = nullptr) {
  return !(n & 3) && (e.act & 255) != ACT_GELU_ERF && !(e.grad_pre && e.grad_of == ACT_GELU_ERF) && fours_begin(c, cs, e.act & HALF_RESULT) &&
         fours_begin(e.bias, 0, false) && fours_begin(scales, 0, false) && (!e.pre || fours_begin(e.pre, e.ps, e.act & HALF_PRE)) &&
         (!e.grad_pre || fours_begin(e.grad_pre, e.gs, e.act & HALF_GRAD_PRE)) && (!e.residual || fours_begin(e.residual, e.rs, false));
}

// finish_fours is finish_to for four columns from j on of each of N rows, those of them that are among the m there are. What has to be read is asked for
// before anything is computed. bias is that of the four columns.
template <int N> DEVICE void finish_fours(float *c, int cs, const Epilogue &e, float (&x)[N][4], const int (&i)[N], int j, int m, const Quad &bias) {
  Four pre[N], residual[N];
  i64 at[N];
  if (e.grad_pre) {
#pragma unroll
    for (int t = 0; t < N; t++) at[t] = (i64)imin(i[t], m - 1) * e.gs + j;
    read_fours(pre, e.grad_pre, at, e.act & HALF_GRAD_PRE);
  }
  if (e.residual) {
#pragma unroll
    for (int t = 0; t < N; t++) at[t] = (i64)imin(i[t], m - 1) * e.rs + j;
    read_fours(residual, e.residual, at, false);
  }
#pragma unroll
  for (int t = 0; t < N; t++)
#pragma unroll
    for (int q = 0; q < 4; q++) x[t][q] += bias.x[q];
  if (e.pre) {
#pragma unroll
    for (int t = 0; t < N; t++) {
      if (i[t] < m) put_four(e.pre, (i64)i[t] * e.ps + j, e.act & HALF_PRE, x[t]);
      if (e.act & HALF_PRE)
#pragma unroll
        for (int q = 0; q < 4; q++) x[t][q] = rounded(x[t][q]);
    }
  }
#pragma unroll 1
  for (int grad = e.act & 255 ? 0 : 1; grad < (e.grad_pre ? 2 : 1); grad++) {
#pragma unroll
    for (int t = 0; t < N; t++) {
      float at[4], y[4];
      if (grad) numbers(at, pre[t], e.act & HALF_GRAD_PRE);
#pragma unroll
      for (int q = 0; q < 4; q++) at[q] = grad ? at[q] : x[t][q];
      activations<4, false>(grad ? e.grad_of : e.act & 255, y, at, grad);
#pragma unroll
      for (int q = 0; q < 4; q++) x[t][q] = grad ? x[t][q] * y[q] : y[q];
    }
  }
#pragma unroll
  for (int t = 0; t < N; t++) {
    if (e.residual) {
      float add[4];
      numbers(add, residual[t], false);
#pragma unroll
      for (int q = 0; q < 4; q++) x[t][q] += add[q];
    }
    if (e.act & POSITIVE)
#pragma unroll
      for (int q = 0; q < 4; q++) x[t][q] = x[t][q] <= 0.0f ? 0.0f : x[t][q];
    if (i[t] < m) put_four(c, (i64)i[t] * cs + j, e.act & HALF_RESULT, x[t]);
  }
}
