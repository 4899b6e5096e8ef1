// The loss of every token, and its gradient in place of the logits: a block of 512 threads per row.
//
// One pass for the maximum and the sum of exponentials together, one for the gradient. A negative
// target is ignored; one outside of the vocabulary gives NaN.
// cross_entropy_packed reads 16 bytes at a time, by blocks of 1024 threads: two of them on every
// multiprocessor, so that the second pass finds most rows in the L2 cache.
#include "pack.cuh"
#include "reduce.cuh"

#if KRAIT_BFLOAT16
// Good to 2e-6 for what matters beside the largest, far below the rounding of what is stored.
DEV float power(float x) { return __expf(x); }
#else
DEV float power(float x) { return expf(x); }
#endif

KERNEL __launch_bounds__(512) cross_entropy(element* logits, i64 stride, const int* targets, float* losses,
                                            i64 vocabulary, int with_gradient, float scale) {
  begin_kernel();
  __shared__ float shared[32];
  const i64 row = blockIdx.x;
  element* z = logits + row * stride;
  const int target = targets[row];
  if (target < 0) {
    if (threadIdx.x == 0) losses[row] = 0.0f;
    if (with_gradient) {
      for (i64 i = threadIdx.x; i < vocabulary; i += blockDim.x) z[i] = from_float(0.0f);
    }
    return;
  }
  const bool known = target < vocabulary;
  const float target_logit = known ? to_float(z[target]) : NOT_A_NUMBER;
  float maximum = -INFINITE, sum = 0.0f;
  for (i64 i = threadIdx.x; i < vocabulary; i += blockDim.x) {
    const float value = to_float(z[i]);
    if (value > maximum) {
      sum *= expf(maximum - value);
      maximum = value;
    }
    // A row that holds a NaN has a NaN sum; a thread that saw only -infinity adds nothing.
    sum += maximum == -INFINITE && value == -INFINITE ? 0.0f : expf(value - maximum);
  }
  const float highest = block_max(maximum, shared);
  sum = block_sum(maximum == -INFINITE && sum == 0.0f ? 0.0f : sum * expf(maximum - highest), shared);
  if (threadIdx.x == 0) losses[row] = logf(sum) + highest - target_logit;
  if (!with_gradient) return;
  const float factor = scale / sum;
  for (i64 i = threadIdx.x; i < vocabulary; i += blockDim.x) {
    z[i] = from_float(expf(to_float(z[i]) - highest) * factor - (i == target ? scale : 0.0f));
  }
}

KERNEL __launch_bounds__(1024) cross_entropy_packed(element* logits, i64 stride, const int* targets, float* losses,
                                                    i64 vocabulary, int with_gradient, float scale) {
  begin_kernel();
  __shared__ float shared[32];
  const i64 row = blockIdx.x;
  element* z = logits + row * stride;
  const int target = targets[row], count = (int)vocabulary, step = blockDim.x * PACK;
  float values[PACK];
  if (target < 0) {
    if (threadIdx.x == 0) losses[row] = 0.0f;
    if (with_gradient) {
#pragma unroll
      for (int k = 0; k < PACK; ++k) values[k] = 0.0f;
      for (int i = threadIdx.x * PACK; i < count; i += step) store_pack(z + i, values);
    }
    return;
  }
  const float target_logit = target < count ? to_float(z[target]) : NOT_A_NUMBER;
  float maximum = -INFINITE, sum = 0.0f;
#pragma unroll 4
  for (int i = threadIdx.x * PACK; i < count; i += step) {
    load_pack(z + i, values);
    float highest = values[0];
#pragma unroll
    for (int k = 1; k < PACK; ++k) highest = fmaxf(highest, values[k]);
    if (highest > maximum) {
      sum *= power(maximum - highest);
      maximum = highest;
    }
#pragma unroll
    for (int k = 0; k < PACK; ++k) {
      // A row that holds a NaN has a NaN sum; a thread that saw only -infinity adds nothing.
      sum += maximum == -INFINITE && values[k] == -INFINITE ? 0.0f : power(values[k] - maximum);
    }
  }
  const float highest = block_max(maximum, shared);
  sum = block_sum(maximum == -INFINITE && sum == 0.0f ? 0.0f : sum * power(maximum - highest), shared);
  if (threadIdx.x == 0) losses[row] = logf(sum) + highest - target_logit;
  if (!with_gradient) return;
  const float factor = scale / sum;
#pragma unroll 2
  for (int i = threadIdx.x * PACK; i < count; i += step) {
    load_pack(z + i, values);
#pragma unroll
    for (int k = 0; k < PACK; ++k) {
      values[k] = power(values[k] - highest) * factor - (i + k == target ? scale : 0.0f);
    }
    store_pack(z + i, values);
  }
}
