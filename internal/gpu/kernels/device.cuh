// What every kernel here starts from: names for the compiler's builtins, since no CUDA header is used, and
// the elementary functions, since no device library is linked.
#pragma once

#define KERNEL extern "C" __attribute__((global)) void
#define DEVICE static inline __attribute__((device, always_inline))
#define SHARED __attribute__((shared))
#define THREADS(n) __attribute__((launch_bounds(n, 1)))
#define THREADS_BLOCKS(n, together) __attribute__((launch_bounds(n, together))) // so many blocks have registers on an SM at a time

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

DEVICE int tid() { return __nvvm_read_ptx_sreg_tid_x(); }
DEVICE int lane() { return __nvvm_read_ptx_sreg_tid_x() & 31; }
DEVICE int warp() { return __nvvm_read_ptx_sreg_tid_x() >> 5; }
DEVICE int bx() { return __nvvm_read_ptx_sreg_ctaid_x(); }
DEVICE int by() { return __nvvm_read_ptx_sreg_ctaid_y(); }
DEVICE int bz() { return __nvvm_read_ptx_sreg_ctaid_z(); }
DEVICE int threads() { return __nvvm_read_ptx_sreg_ntid_x(); }
DEVICE int blocks() { return __nvvm_read_ptx_sreg_nctaid_x(); }
DEVICE void barrier() { __syncthreads(); }
DEVICE void warp_barrier() { __nvvm_bar_warp_sync(~0u); }

#define INF __builtin_inff()

DEVICE int imin(int a, int b) { return a < b ? a : b; }
DEVICE int imax(int a, int b) { return a > b ? a : b; }

// shfl_xor is v of the lane whose number differs in the bits of m; shfl is v of lane l.
DEVICE float shfl_xor(float v, int m) { return __nvvm_shfl_sync_bfly_f32(~0u, v, m, 31); }
DEVICE int shfl_xor(int v, int m) { return __nvvm_shfl_sync_bfly_i32(~0u, v, m, 31); }
DEVICE float shfl(float v, int l) { return __nvvm_shfl_sync_idx_f32(~0u, v, l, 31); }

// AT_ONCE is how many numbers of a row a thread reads before it does something with them. A loop of one number waits for memory each time, and where rows
// are few there is nobody to compute meanwhile; a store keeps the compiler from reading ahead.
#define AT_ONCE 4

// read_some takes numbers from at on, step apart, of which left are there.
DEVICE void read_some(float (&v)[AT_ONCE], const float *at, int step, int left) {
#pragma unroll
  for (int q = 0; q < AT_ONCE; q++) v[q] = q * step < left ? at[q * step] : 0.0f;
}

// exp2a is 2^x to two units in the last place.
DEVICE float exp2a(float x) { return __nvvm_ex2_approx_ftz_f(x); }

// expf_ is e^x. The product x·log₂e is carried in two parts, or its rounding would cost |x| units in the last place.
DEVICE float expf_(float x) {
  const float l2e = 1.4426950408889634f, rest = 1.925963033500e-8f;
  float y = x * l2e;
  y = __builtin_fminf(__builtin_fmaxf(y, -150.0f), 150.0f);
  float n = __builtin_floorf(y + 0.5f);
  float f = __builtin_fmaf(x, rest, __builtin_fmaf(x, l2e, -n));
  if (!(x > -104.0f)) return x == x ? 0.0f : x;
  if (x > 89.0f) return INF;
  return exp2a(f) * exp2a(n * 0.5f) * exp2a(n - n * 0.5f);
}

// logf_ is the natural logarithm.
DEVICE float logf_(float x) { return __nvvm_lg2_approx_f(x) * 0.6931471805599453f; }

DEVICE float sqrtf_(float x) { return __builtin_sqrtf(x); }

// warp_sum and warp_max leave the result in every lane.
DEVICE float warp_sum(float v) {
#pragma unroll
  for (int m = 16; m; m >>= 1) v += shfl_xor(v, m);
  return v;
}
DEVICE float warp_max(float v) {
#pragma unroll
  for (int m = 16; m; m >>= 1) v = __builtin_fmaxf(v, shfl_xor(v, m));
  return v;
}

// block_sum leaves the sum over a block of up to 1024 threads, a multiple of 32, in every thread.
// scratch has 32 places and may be used again at once.
DEVICE float block_sum(float v, float *scratch) {
  v = warp_sum(v);
  if (lane() == 0) scratch[warp()] = v;
  barrier();
  v = lane() < threads() >> 5 ? scratch[lane()] : 0.0f;
  v = warp_sum(v);
  barrier();
  return v;
}
DEVICE float block_max(float v, float *scratch) {
  v = warp_max(v);
  if (lane() == 0) scratch[warp()] = v;
  barrier();
  v = lane() < threads() >> 5 ? scratch[lane()] : -INF;
  v = warp_max(v);
  barrier();
  return v;
}
