// Attention on tensor cores, forward.
#include "attention_segments.cuh"

template <bool HALF, int KD, int N>
DEVICE void attend(void *out, int os, const Side &sq, const Side &sk, const Side &sv, float *lse, const Packed &p, int rows, int heads, int h, int dim,
                   float scale, int causal, const Drop &drop, bool half_out) {
  typedef Rows<HALF, KD> R;
  char *tq = ROOM, *tk = tq + ROWS * R::bytes, *tv = tk + N * R::bytes;
  int block = bx() * ROWS, first = block + 16 * warp(), q = lane() & 3;
  R::template load<ROWS>(tq, sq, block, imin(ROWS, rows - block));
  Sums<KD> acc;
  clear_sums<KD>(acc);
  float top[2] = {-INF, -INF}, sum[2] = {0.0f, 0.0f};
  Walk w = walk(p, p.qs, p.ks, block, rows);
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
      Scores<N> x;
      scores<HALF, KD, N>(x, shared_address(tq), 16 * warp(), shared_address(tk), dim);
#pragma unroll
      for (int i = 0; i < 2; i++) {
        float m = -INF, d = 0.0f;
#pragma unroll
        for (int e = 0; e < N / 4; e++) {
          int key = t + 8 * (e >> 1) + 2 * q + (e & 1);
          float &y = x[e >> 1][2 * i + (e & 1)];
          y = key >= see.lo[i] && key < see.hi[i] ? y * scale : -INF;
          m = __builtin_fmaxf(m, y);
        }
        m = __builtin_fmaxf(top[i], quad_max(m));
        float corr = top[i] == m ? 1.0f : weight<HALF>(top[i] - m);
#pragma unroll
        for (int e = 0; e < N / 4; e++) {
          float &y = x[e >> 1][2 * i + (e & 1)];
          float p = y == -INF ? 0.0f : weight<HALF>(y - m);
          d += p;
          y = p == 0.0f ? 0.0f : p * keep(drop, h, w.row[i], see.base[i] + t + 8 * (e >> 1) + 2 * q + (e & 1));
        }
        top[i] = m;
        sum[i] = sum[i] * corr + quad_sum(d);
#pragma unroll
        for (int c = 0; c < 2 * KD; c++) {
          acc[c][2 * i] *= corr;
          acc[c][2 * i + 1] *= corr;
        }
      }
      accumulate<HALF, KD, N>(acc, x, shared_address(tv), dim);
    }
  }
  store_sums<KD>(out, os, acc, first, rows, dim, sum[0] > 0.0f ? 1.0f / sum[0] : 0.0f, sum[1] > 0.0f ? 1.0f / sum[1] : 0.0f, HALF && half_out);
#pragma unroll
  for (int i = 0; i < 2; i++)
    if (lse && q == 0 && w.row[i] < rows) lse[(i64)w.row[i] * heads + h] = top[i] + logf_(sum[i]);
}

#define PACKED_PARAMS                                                                                                          \
  const int *qstarts, const int *kstarts, const int *parent, int sequences, int rows, int heads, int dim, float scale, int causal, \
      const u32 *state, int site, u32 limit, float factor, int wide
#define PACKED_ARGS                                                                                                            \
  int h = by();                                                                                                                \
  Packed p = {qstarts, kstarts, parent, sequences};                                                                            \
  Drop drop = {factor != 0.0f ? dropout_key(state, (u32)site) : 0, limit, factor};
// Bits of wide: four numbers of all matrices lie together, and what is bfloat16.
enum { OUT_HALF = 2, Q_HALF = 4, K_HALF = 8, V_HALF = 16, DOUT_HALF = 32, DQ_HALF = 64, DK_HALF = 128, DV_HALF = 256 };
#define SIDE(x, stride, bit) Side{beside(x, h * dim, (wide & bit) != 0), stride, dim, (wide & 1) != 0, (wide & bit) != 0}

#define ATTENTION(name, half, kd, n)                                                                                              \
  KERNEL THREADS(WARPS * 32) attention_##name(void *out, int os, const void *q, int qs, const void *k, int ks, const void *v, int vs,  \
                                              float *lse, PACKED_PARAMS) {                                                     \
    PACKED_ARGS                                                                                                                \
    bool half_out = (wide & OUT_HALF) != 0;                                                                                    \
    attend<half, kd, n>(beside(out, h * dim, half_out), os, SIDE(q, qs, Q_HALF), SIDE(k, ks, K_HALF), SIDE(v, vs, V_HALF), lse, p, rows, heads, h, dim,  \
                        scale, causal, drop, half_out);                                                                        \
  }
ATTENTION(bf16_64, true, 4, 32)
ATTENTION(bf16_128, true, 8, 32)
ATTENTION(tf32x3_64, false, 4, 32)
ATTENTION(tf32x3_128, false, 8, 16)
