// y = x / sqrt(mean(x^2) + epsilon) * weight, and its gradients. Weights are float32.
//
// forward, backward: a block of 256 threads per row. weight_partial: grid (width / 256, chunks);
// a thread sums its column over the rows of a chunk, in order. weight_sum adds the chunks in order.
#include "reduce.cuh"

KERNEL __launch_bounds__(256) forward(const element* input, i64 input_stride, const float* weight, element* output,
                                      i64 output_stride, float* inverse_rms, i64 width, float epsilon) {
  __shared__ float shared[32];
  const i64 row = blockIdx.x;
  const element* x = input + row * input_stride;
  float squares = 0.0f;
  for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
    const float value = to_float(x[i]);
    squares = fmaf(value, value, squares);
  }
  const float inverse = 1.0f / sqrtf(block_sum(squares, shared) / (float)width + epsilon);
  if (threadIdx.x == 0) inverse_rms[row] = inverse;
  element* y = output + row * output_stride;
  for (i64 i = threadIdx.x; i < width; i += blockDim.x) y[i] = from_float(to_float(x[i]) * inverse * weight[i]);
}

KERNEL __launch_bounds__(256) backward(const element* gradient, i64 gradient_stride, const element* input,
                                       i64 input_stride, const float* weight, const float* inverse_rms,
                                       element* input_gradient, i64 input_gradient_stride, i64 width) {
  __shared__ float shared[32];
  const i64 row = blockIdx.x;
  const element* g = gradient + row * gradient_stride;
  const element* x = input + row * input_stride;
  float product = 0.0f;
  for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
    product = fmaf(to_float(g[i]) * weight[i], to_float(x[i]), product);
  }
  const float inverse = inverse_rms[row];
  const float pull = block_sum(product, shared) / (float)width * inverse * inverse * inverse;
  element* target = input_gradient + row * input_gradient_stride;
  for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
    const float change = inverse * to_float(g[i]) * weight[i] - to_float(x[i]) * pull;
    target[i] = from_float(to_float(target[i]) + change);
  }
}

KERNEL __launch_bounds__(256) weight_partial(const element* gradient, i64 gradient_stride, const element* input,
                                             i64 input_stride, const float* inverse_rms, float* partial, i64 rows,
                                             i64 width, i64 rows_per_chunk) {
  const i64 column = (i64)blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= width) return;
  const i64 first = (i64)blockIdx.y * rows_per_chunk;
  const i64 end = first + rows_per_chunk < rows ? first + rows_per_chunk : rows;
  float sum = 0.0f;
#pragma unroll 8
  for (i64 row = first; row < end; ++row) {
    sum = fmaf(to_float(gradient[row * gradient_stride + column]) * inverse_rms[row],
               to_float(input[row * input_stride + column]), sum);
  }
  partial[(i64)blockIdx.y * width + column] = sum;
}

KERNEL __launch_bounds__(256) weight_sum(const float* partial, i64 chunks, i64 width, float* weight_gradient) {
  const i64 column = thread_index();
  if (column >= width) return;
  float sum = 0.0f;
#pragma unroll 8
  for (i64 chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * width + column];
  weight_gradient[column] += sum;
}
