// What a product does to its result before storing it, in this order: add bias, store it in pre, apply act, multiply
// by the derivative of grad_of at grad_pre, add residual, and where act has the bit POSITIVE take ReLU of that. Null pointers are left out.
#pragma once
#include "act.cuh"

#define POSITIVE 256

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
  if (e.pre) e.pre[(i64)i * e.ps + j] = x;
  // act, then grad_of: a loop, so that the activations are compiled once.
#pragma unroll 1
  for (int grad = e.act & 255 ? 0 : 1; grad < (e.grad_pre ? 2 : 1); grad++) {
    float y = activation(grad ? e.grad_of : e.act & 255, grad ? e.grad_pre[(i64)i * e.gs + j] : x, grad);
    x = grad ? x * y : y;
  }
  if (e.residual) x += e.residual[(i64)i * e.rs + j];
  return e.act & POSITIVE && x <= 0.0f ? 0.0f : x;
}
