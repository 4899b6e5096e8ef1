// The sum of squares in double precision: chunks by a fixed grid, then their sums by one block.
#include "reduce.cuh"

KERNEL __launch_bounds__(256) partial_sums(const element* values, i64 stride, i64 rows, i64 columns,
                                           double* partial) {
  __shared__ double shared[32];
  double sum = 0.0;
  if (rows == 1 || stride == columns) {
    for (i64 i = thread_index(); i < rows * columns; i += thread_count()) {
      const double value = to_float(values[i]);
      sum += value * value;
    }
  } else {
    for (i64 i = thread_index(); i < rows * columns; i += thread_count()) {
      const double value = to_float(values[i / columns * stride + i % columns]);
      sum += value * value;
    }
  }
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

KERNEL __launch_bounds__(1024) total(const double* partial, i64 count, float* result) {
  __shared__ double shared[32];
  double sum = 0.0;
  for (i64 i = threadIdx.x; i < count; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) *result = (float)sum;
}
