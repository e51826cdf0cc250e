// Softmax and cross-entropy over pieces of the vocabulary: a block of 256 threads a row.
#include "device.cuh"

// softmax_start prepares the running maximum, sum, and the logit of the target.
KERNEL softmax_start(float *top, float *sum, float *picked, int rows) {
  int i = bx() * threads() + tid();
  if (i >= rows) return;
  top[i] = -INF;
  sum[i] = 0.0f;
  picked[i] = 0.0f;
}

// softmax_chunk takes the softmax of a row over one more chunk of columns, writes exp(logit - greatest) over the logits,
// and rescales the row of dx, if there is one, that was summed with the greatest logit before.
KERNEL THREADS(256) softmax_chunk(float *logits, int stride, int cols, float *top, float *sum, float *picked, const int *targets, int first,
                                  float *dx, int dxs, int dim) {
  SHARED float scratch[32];
  int r = bx();
  float *x = logits + (i64)r * stride;
  int t = targets ? targets[r] - first : -1;
  if (tid() == 0 && t >= 0 && t < cols) picked[r] = x[t];
  float old = top[r], m = -INF, s = 0.0f;
#pragma unroll AT_ONCE
  for (int j = tid(); j < cols; j += 256) m = __builtin_fmaxf(m, x[j]);
  m = __builtin_fmaxf(old, block_max(m, scratch));
  float corr = old == m ? 1.0f : expf_(old - m);
  for (int j = tid(); j < cols; j += AT_ONCE * 256) {
    float v[AT_ONCE];
    read_some(v, x + j, 256, cols - j);
#pragma unroll
    for (int q = 0; q < AT_ONCE; q++) {
      if (j + 256 * q >= cols) continue;
      float e = expf_(v[q] - m);
      x[j + 256 * q] = e;
      s += e;
    }
  }
  s = block_sum(s, scratch);
  if (tid() == 0) {
    top[r] = m;
    sum[r] = sum[r] * corr + s;
  }
  if (dx && first > 0 && corr != 1.0f)
    for (int j = tid(); j < dim; j += 256) dx[(i64)r * dxs + j] *= corr;
}

// count_targets counts the targets that are not negative: one block.
KERNEL THREADS(256) count_targets(float *count, const int *targets, int rows) {
  SHARED float scratch[32];
  float n = 0.0f;
  for (int i = tid(); i < rows; i += 256) n += targets[i] >= 0 ? 1.0f : 0.0f;
  n = block_sum(n, scratch);
  if (tid() == 0) count[0] = n;
}

// table_at is number i of row r of a table, in the one of the forms that is there.
DEVICE float table_at(const float *embed, const unsigned short *half, const signed char *bytes, const float *scales, i64 i, int r) {
  if (embed) return embed[i];
  return half ? __builtin_bit_cast(float, (u32)half[i] << 16) : (float)bytes[i] * scales[r];
}

// loss_rows makes Σ exp·embedding of a row into its gradient, and leaves log Σ exp and the row's loss.
KERNEL THREADS(256) loss_rows(float *loss, float *lse, const float *top, const float *sum, const float *picked, const int *targets,
                              const float *count, float *dx, int dxs, const float *embed, const unsigned short *half, const signed char *bytes,
                              const float *scales, int es, int dim) {
  int r = bx(), t = targets[r];
  float l = top[r] + logf_(sum[r]);
  if (tid() == 0) {
    if (lse) lse[r] = l;
    loss[r] = t >= 0 ? l - picked[r] : 0.0f;
  }
  if (!dx) return;
  dx += (i64)r * dxs;
  float g = 1.0f / count[0], f = g / sum[r];
  for (int j = tid(); j < dim; j += 256) dx[j] = t < 0 ? 0.0f : dx[j] * f - table_at(embed, half, bytes, scales, (i64)t * es + j, t) * g;
}

// loss_mean is the sum of the rows' losses over the count: one block.
KERNEL THREADS(256) loss_mean(float *loss, const float *per_row, const float *count, int rows) {
  SHARED float scratch[32];
  float s = 0.0f;
  for (int i = tid(); i < rows; i += 256) s += per_row[i];
  s = block_sum(s, scratch);
  if (tid() == 0) loss[0] = count[0] > 0.0f ? s / count[0] : 0.0f;
}

// cross_entropy_grad: d[j] = (exp(logit - lse) - [first+j is the target])·dloss/count, over the logits.
KERNEL THREADS(256) cross_entropy_grad(float *logits, int stride, int cols, const float *lse, const int *targets, int first, const float *dloss,
                                       const float *count) {
  int r = bx(), t = targets[r];
  float *x = logits + (i64)r * stride, f = dloss[0] / count[0], l = lse[r];
  for (int i = tid(); i < cols; i += AT_ONCE * 256) {
    float v[AT_ONCE];
    read_some(v, x + i, 256, cols - i);
#pragma unroll
    for (int q = 0; q < AT_ONCE; q++) {
      int j = i + 256 * q;
      if (j < cols) x[j] = t < 0 ? 0.0f : (expf_(v[q] - l) - (first + j == t ? 1.0f : 0.0f)) * f;
    }
  }
}
