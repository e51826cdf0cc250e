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
