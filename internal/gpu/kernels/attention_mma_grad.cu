// Attention on tensor cores, backward: the weights are computed again from the stored log Σ exp. One kernel goes over keys for dq, one over
// queries for dk and dv, so that nothing is added from two blocks and results do not depend on chance.
#include "attention_segments.cuh"

template <bool HALF, int KD, int N>
DEVICE void attend_grad_q(void *dq, int dqs, const Side &sd, const Side &sq, const Side &sk, const Side &sv, const float *lse, const float *dots,
                          const Packed &p, int rows, int heads, int h, int dim, float scale, int causal, const Drop &drop, bool half_dq) {
  typedef Rows<HALF, KD> R;
  char *tq = ROOM, *td = tq + ROWS * R::bytes, *tk = td + ROWS * R::bytes, *tv = tk + N * R::bytes;
  int block = bx() * ROWS, first = block + 16 * warp(), q = lane() & 3;
  R::template load<ROWS>(tq, sq, block, imin(ROWS, rows - block));
  R::template load<ROWS>(td, sd, block, imin(ROWS, rows - block));
  Sums<KD> acc;
  clear_sums<KD>(acc);
  Walk w = walk(p, p.qs, p.ks, block, rows);
  float l[2], dot[2];
#pragma unroll
  for (int i = 0; i < 2; i++) {
    l[i] = w.row[i] < rows ? lse[(i64)w.row[i] * heads + h] : 0.0f;
    dot[i] = w.row[i] < rows ? dots[(i64)w.row[i] * heads + h] : 0.0f;
  }
  Seen see;
#pragma unroll 1
  while (next_for_queries(w, see, p, causal)) {
    if (causal && w.own) see.to = imin(see.to, imin(block + ROWS, rows));
#pragma unroll 1
    for (int t = see.from; t < see.to; t += N) {
      int count = imin(N, see.to - t);
      barrier();
      R::template load<N>(tk, sk, t, count);
      R::template load<N>(tv, sv, t, count);
      barrier();
      if (t >= see.most || t + N <= see.least) continue;
      Scores<N> x, y;
      scores<HALF, KD, N>(x, shared_address(tq), 16 * warp(), shared_address(tk), dim);
      scores<HALF, KD, N>(y, shared_address(td), 16 * warp(), shared_address(tv), dim);
#pragma unroll
      for (int e = 0; e < N / 2; e++) {
        int j = e >> 2, c = e & 3, i = c >> 1, key = t + 8 * j + 2 * q + (c & 1);
        bool sees = key >= see.lo[i] && key < see.hi[i];
        x[j][c] = sees ? weight<HALF>(x[j][c] * scale - l[i]) * (y[j][c] * keep(drop, h, w.row[i], see.base[i] + key) - dot[i]) * scale : 0.0f;
      }
      accumulate<HALF, KD, N>(acc, x, shared_address(tk), dim);
    }
  }
  store_sums<KD>(dq, dqs, acc, first, rows, dim, 1.0f, 1.0f, HALF && half_dq);
}

// attend_grad_kv: a block's rows are keys.
template <bool HALF, int KD, int N>
DEVICE void attend_grad_kv(void *dk, int dks, void *dv, int dvs, const Side &sd, const Side &sq, const Side &sk, const Side &sv, const float *lse,
                           const float *dots, const Packed &p, int rows, int heads, int h, int dim, float scale, int causal, const Drop &drop, bool half_dk,
                           bool half_dv) {
  typedef Rows<HALF, KD> R;
  SHARED float sl[N], sdot[N];
  char *tk = ROOM, *tv = tk + ROWS * R::bytes, *tq = tv + ROWS * R::bytes, *td = tq + N * R::bytes;
  int block = bx() * ROWS, first = block + 16 * warp(), q = lane() & 3;
  R::template load<ROWS>(tk, sk, block, imin(ROWS, rows - block));
  R::template load<ROWS>(tv, sv, block, imin(ROWS, rows - block));
  Sums<KD> ak, av;
  clear_sums<KD>(ak);
  clear_sums<KD>(av);
  Walk w = walk(p, p.ks, p.qs, block, rows);
  Seen see;
#pragma unroll 1
  while (next_for_keys(w, see, p, causal)) {
    if (causal && w.own) see.from = imax(see.from, block);
#pragma unroll 1
    for (int t = see.from; t < see.to; t += N) {
      int count = imin(N, see.to - t);
      barrier();
      R::template load<N>(tq, sq, t, count);
      R::template load<N>(td, sd, t, count);
      if (tid() < N) {
        sl[tid()] = tid() < count ? lse[(i64)(t + tid()) * heads + h] : 0.0f;
        sdot[tid()] = tid() < count ? dots[(i64)(t + tid()) * heads + h] : 0.0f;
      }
      barrier();
      if (t >= see.most || t + N <= see.least) continue;
      Scores<N> x, y;
      scores<HALF, KD, N>(x, shared_address(tk), 16 * warp(), shared_address(tq), dim);
      scores<HALF, KD, N>(y, shared_address(tv), 16 * warp(), shared_address(td), dim);
#pragma unroll
      for (int e = 0; e < N / 2; e++) {
        int j = e >> 2, c = e & 3, i = c >> 1, at = 8 * j + 2 * q + (c & 1), r = t + at;
        bool sees = r >= see.lo[i] && r < see.hi[i];
        float p = sees ? weight<HALF>(x[j][c] * scale - sl[at]) : 0.0f;
        float f = sees ? keep(drop, h, r, see.base[i] + w.row[i]) : 0.0f;
        x[j][c] = p * f;
        y[j][c] = sees ? p * (y[j][c] * f - sdot[at]) * scale : 0.0f;
      }
      accumulate<HALF, KD, N>(av, x, shared_address(td), dim);
      accumulate<HALF, KD, N>(ak, y, shared_address(tq), dim);
    }
  }
  store_sums<KD>(dk, dks, ak, first, rows, dim, 1.0f, 1.0f, HALF && half_dk);
  store_sums<KD>(dv, dvs, av, first, rows, dim, 1.0f, 1.0f, HALF && half_dv);
}

#define SIDES SIDE(dout, dos, DOUT_HALF), SIDE(q, qs, Q_HALF), SIDE(k, ks, K_HALF), SIDE(v, vs, V_HALF)
#define SIDE_PARAMS                                                                                                            \
  const void *dout, int dos, const void *q, int qs, const void *k, int ks, const void *v, int vs, const float *lse, const float *dots, PACKED_PARAMS
#define ATTENTION_GRAD(name, half, kd, n)                                                                                      \
  KERNEL THREADS(WARPS * 32) attention_grad_q_##name(void *dq, int dqs, SIDE_PARAMS) {                                         \
    PACKED_ARGS                                                                                                                \
    bool half_dq = (wide & DQ_HALF) != 0;                                                                                      \
    attend_grad_q<half, kd, n>(beside(dq, h * dim, half_dq), dqs, SIDES, lse, dots, p, rows, heads, h, dim, scale, causal, drop, half_dq);  \
  }                                                                                                                            \
  KERNEL THREADS(WARPS * 32) attention_grad_kv_##name(void *dk, int dks, void *dv, int dvs, SIDE_PARAMS) {                     \
    PACKED_ARGS                                                                                                                \
    bool half_dk = (wide & DK_HALF) != 0, half_dv = (wide & DV_HALF) != 0;                                                     \
    attend_grad_kv<half, kd, n>(beside(dk, h * dim, half_dk), dks, beside(dv, h * dim, half_dv), dvs, SIDES, lse, dots, p, rows, heads, h, dim, scale,  \
                                causal, drop, half_dk, half_dv);                                                               \
  }
ATTENTION_GRAD(bf16_64, true, 4, 32)
ATTENTION_GRAD(bf16_128, true, 8, 16)
ATTENTION_GRAD(tf32x3_64, false, 4, 32)
ATTENTION_GRAD(tf32x3_128, false, 8, 16)
