// Attention over packed sequences, without ever storing the weights (Dao et al., FlashAttention-2): what its kernels share.
#pragma once
#include "dropout.cuh"
#include "half.cuh"

#define BQ 16        // query rows of a block, four a warp
#define BKEYS 32     // keys of a tile, one a lane
#define MOST_DIM 128 // of a head
#define COLUMNS (MOST_DIM / 32)

// Packed are the sequences: sequence s has query rows qs[s] … qs[s+1] and key rows ks[s] … ks[s+1], and, where parent[s] ≥ 0,
// also sees the key rows of that sequence, in front of its own.
struct Packed {
  const int *qs, *ks, *parent;
  int n;
};

// sequence_of is the sequence that holds a row: the last one that starts at or before it.
DEVICE int sequence_of(const int *starts, int n, int row) {
  int lo = 0, hi = n - 1;
  while (lo < hi) {
    int mid = (lo + hi + 1) >> 1;
    if (starts[mid] <= row) lo = mid;
    else hi = mid - 1;
  }
  return lo;
}

// load_rows copies rows [first, first+count) of one head's dim columns to shared memory, LD apart, times factor; rows to
// BQ or BKEYS that are not there become zeros.
template <int ROWS> DEVICE void load_rows(float *dst, int ld, const float *src, int stride, int first, int count, int dim, float factor) {
  for (int e = tid(); e < ROWS * dim; e += threads()) {
    int i = e / dim, j = e % dim;
    dst[i * ld + j] = i < count ? src[(i64)(first + i) * stride + j] * factor : 0.0f;
  }
}

// Drop is the dropout of attention weights.
struct Drop {
  u64 key;
  u32 limit;
  float factor; // 1/(1-p), or 0 for no dropout
};

// keep is what dropout multiplies a weight by.
DEVICE float keep(const Drop &d, int head, int query, int position) {
  if (d.factor == 0.0f) return 1.0f;
  return dropout_keep(d.key, attention_element(head, query, position), d.limit) ? d.factor : 0.0f;
}
