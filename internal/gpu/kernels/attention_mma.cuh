// Attention on tensor cores: what its kernels share. A block has ROWS rows of one head, 16 a warp, and goes over the rows of the other side
// in tiles of N. Both lie in shared memory, from where ldmatrix takes fragments: in bfloat16, or in float32 whose fragments are split in two tf32
// parts. 16 bytes of a row lie where the exclusive or of their column and the row says, so that no bank is asked twice. KD is the head's
// width in steps of 16.
#pragma once
#include "attention.cuh"
#include "half.cuh"

#define ROWS 64
#define WARPS 4 // of a block

extern SHARED __attribute__((aligned(128))) float dynamic[];
#define ROOM ((char *)dynamic)

// Side is a matrix of rows of one head, in float32 or bfloat16 (half). wide: four numbers lie together on as many times four, or two, bytes.
struct Side {
  const void *x;
  int stride, dim;
  bool wide, half;
};

// beside is n numbers behind x.
DEVICE void *beside(const void *x, int n, bool half) { return half ? (void *)((unsigned short *)x + n) : (void *)((float *)x + n); }

// Rows is the layout of rows in shared memory.
template <bool HALF, int KD> struct Rows {
  static const int quads = 4 * KD, bytes = HALF ? 32 * KD : 64 * KD; // of a row
  DEVICE u32 at(int row, int chunk) { return (u32)(row * bytes + (chunk ^ (row & 7)) * 16); }

  // load brings rows [first, first+count) of COUNT in all, and zeros for the others and beyond the head's width.
  template <int COUNT> DEVICE void load(char *dst, const Side &s, int first, int count) {
#pragma unroll 4
    for (int x = 0; x < COUNT * quads / (WARPS * 32); x++) {
      int e = x * WARPS * 32 + tid(), i = e / quads, j = e % quads * 4, left = i < count ? s.dim - j : 0;
      i64 from = (i64)(first + i) * s.stride + j;
      if (HALF && s.half) {
        const unsigned short *p = (const unsigned short *)s.x + from;
        Words w = {};
        if (s.wide && left >= 4) w = *(const Words *)p;
        else {
          if (left > 0) w.a = p[0];
          if (left > 1) w.a |= (u32)p[1] << 16;
          if (left > 2) w.b = p[2];
          if (left > 3) w.b |= (u32)p[3] << 16;
        }
        *(Words *)(dst + at(i, j >> 3) + (j & 4) * 2) = w;
        continue;
      }
      const float *p = (const float *)s.x + from;
      Quad v = {};
      if (s.wide && left >= 4) v = *(const Quad *)p;
      else
#pragma unroll
        for (int t = 0; t < 4; t++)
          if (t < left) v.x[t] = p[t];
      if (HALF) *(Words *)(dst + at(i, j >> 3) + (j & 4) * 2) = Words{pack_bf16(v.x[0], v.x[1]), pack_bf16(v.x[2], v.x[3])};
      else *(Quad *)(dst + at(i, j >> 2)) = v;
    }
  }
  // fragments takes 16 rows from row on, two chunks deep: of the left operand in the order of mma's registers, of the right those of its halves.
  DEVICE void fragments(u32 (&f)[4], u32 tile, int row, int chunk, bool right) {
    int m = lane() >> 3, along = right ? m >> 1 : m & 1, deep = right ? m & 1 : m >> 1;
    load_matrices(f, tile + at(row + 8 * along + (lane() & 7), chunk + deep));
  }
};

// split3 is four numbers in float32 as two parts in tf32.
DEVICE void split3(u32 (&hi)[4], u32 (&lo)[4], const u32 (&x)[4]) {
#pragma unroll
  for (int i = 0; i < 4; i++) parts_of(hi[i], lo[i], __builtin_bit_cast(float, x[i]));
}

// Scores are of 16 rows with N of the other side: [j][h] is of row g + 8(h/2) with 8j + 2q + h%2, g and q a lane's quad and place in it.
template <int N> using Scores = float[N / 8][4];

// scores is x = own·othersᵀ, for the warp's 16 rows from row on of own.
template <bool HALF, int KD, int N> DEVICE void scores(Scores<N> &x, u32 own, int row, u32 others, int dim) {
  typedef Rows<HALF, KD> R;
#pragma unroll
  for (int j = 0; j < N / 8; j++)
#pragma unroll
    for (int h = 0; h < 4; h++) x[j][h] = 0.0f;
  int chunks = (dim + (HALF ? 7 : 3)) / (HALF ? 8 : 4);
#pragma unroll 1
  for (int c = 0; c < chunks; c += 4) // zeros lie beyond the last
#pragma unroll
    for (int d = 0; d < 4; d += 2) {
      u32 a[4], rest[4];
      R::fragments(a, own, row, c + d, false);
      if (!HALF) split3(a, rest, a);
#pragma unroll
      for (int j = 0; j < N / 16; j++) {
        u32 b[4], less[4];
        R::fragments(b, others, 16 * j, c + d, true);
        if (!HALF) split3(b, less, b);
#pragma unroll
        for (int i = 0; i < 2; i++) {
          u32 f[2] = {b[2 * i], b[2 * i + 1]};
          if (HALF) {
            mma_bf16(x[2 * j + i], a, f);
          } else {
            u32 l[2] = {less[2 * i], less[2 * i + 1]};
            mma_tf32x3(x[2 * j + i], a, rest, f, l);
          }
        }
      }
    }
}

// Sums are of 16 rows: [c][h] is of row g + 8(h/2), column 8c + 2q + h%2.
template <int KD> using Sums = float[2 * KD][4];

// accumulate is acc += x·others.
template <bool HALF, int KD, int N> DEVICE void accumulate(Sums<KD> &acc, const Scores<N> &x, u32 others, int dim) {
  typedef Rows<HALF, KD> R;
  if (HALF) {
    int m = lane() >> 3;
#pragma unroll
    for (int s = 0; s < N / 16; s++) {
      u32 a[4];
#pragma unroll
      for (int h = 0; h < 4; h++) a[h] = pack_bf16(x[2 * s + (h >> 1)][2 * (h & 1)], x[2 * s + (h >> 1)][2 * (h & 1) + 1]);
#pragma unroll
      for (int c = 0; c < KD; c++) {
        if (16 * c >= dim) continue;
        u32 b[4];
        load_transposed(b, others + R::at(16 * s + 8 * (m & 1) + (lane() & 7), 2 * c + (m >> 1)));
        u32 f0[2] = {b[0], b[1]}, f1[2] = {b[2], b[3]};
        mma_bf16(acc[2 * c], a, f0);
        mma_bf16(acc[2 * c + 1], a, f1);
      }
    }
    return;
  }
  // Which of the others is which step of a product's depth does not matter: lane q of a quad takes 2q and 2q+1, whose scores it has. Tiles lie on
  // 128 bytes, so the exclusive or of a column may be taken of a whole address. It is hidden from the compiler, or that would keep the address
  // of every number from tile to tile, which are more registers than there are.
  int g = lane() >> 2, q = lane() & 3;
  u32 at = others + R::at(2 * q, g >> 2) + (g & 3) * 4;
#pragma unroll
  for (int j = 0; j < N / 8; j++) {
    u32 a[4], rest[4];
#pragma unroll
    for (int h = 0; h < 4; h++) a[h] = __builtin_bit_cast(u32, x[j][2 * (h & 1) + (h >> 1)]);
    split3(a, rest, a);
    asm volatile("" : "+r"(at));
#pragma unroll
    for (int c = 0; c < 2 * KD; c++) {
      if (8 * c >= dim) continue;
      u32 f[2], l[2];
#pragma unroll
      for (int h = 0; h < 2; h++) parts_of(f[h], l[h], load_shared((at ^ (32 * (c & 3) + 16 * h)) + (8 * j + h) * R::bytes + 128 * (c >> 2)));
      mma_tf32x3(acc[c], a, rest, f, l);
    }
  }
}

template <int KD> DEVICE void clear_sums(Sums<KD> &acc) {
#pragma unroll
  for (int c = 0; c < 2 * KD; c++)
#pragma unroll
    for (int h = 0; h < 4; h++) acc[c][h] = 0.0f;
}

// store_sums writes rows [first, first+16), those of the lower half times f0, of the upper times f1; half: in bfloat16.
template <int KD> DEVICE void store_sums(void *dst, int stride, const Sums<KD> &acc, int first, int limit, int dim, float f0, float f1, bool half = false) {
  int g = lane() >> 2, q = lane() & 3;
#pragma unroll
  for (int c = 0; c < 2 * KD; c++)
#pragma unroll
    for (int h = 0; h < 4; h++) {
      int row = first + g + 8 * (h >> 1), j = 8 * c + 2 * q + (h & 1);
      if (row < limit && j < dim) put(dst, (i64)row * stride + j, half, acc[c][h] * (h >> 1 ? f1 : f0));
    }
}

// weight is e^x. Where weights are rounded to bfloat16 the last bits of float32 do not matter.
template <bool HALF> DEVICE float weight(float x) { return HALF ? exp2a(x * 1.4426950408889634f) : expf_(x); }

// quad_sum and quad_max are over the four lanes that share rows.
DEVICE float quad_sum(float v) {
  v += shfl_xor(v, 1);
  return v + shfl_xor(v, 2);
}
DEVICE float quad_max(float v) {
  v = __builtin_fmaxf(v, shfl_xor(v, 1));
  return __builtin_fmaxf(v, shfl_xor(v, 2));
}
DEVICE int warp_min(int v) {
#pragma unroll
  for (int m = 16; m; m >>= 1) v = imin(v, shfl_xor(v, m));
  return v;
}
