// The loss of every token, and its gradient in place of the logits: a block of 512 threads per row.
//
// One pass for the maximum and the sum of exponentials together, one for the gradient. A negative
// target is ignored; one outside of the vocabulary gives NaN.
#include "reduce.cuh"

KERNEL __launch_bounds__(512) cross_entropy(element* logits, i64 stride, const int* targets, float* losses,
                                            i64 vocabulary, int with_gradient, float scale) {
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
