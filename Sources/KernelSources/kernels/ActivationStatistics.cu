// The sum, the sum of squares and the share above zero, in double precision: a fixed grid of 256
// threads, then one block.
#include "reduce.cuh"

KERNEL __launch_bounds__(256) statistics(const element* values, i64 stride, i64 rows, i64 columns, double* partial) {
  begin_kernel();
  __shared__ double shared[32];
  double sum = 0.0, squares = 0.0, positive = 0.0;
  for (i64 index = thread_index(); index < rows * columns; index += thread_count()) {
    const double value = to_float(values[index / columns * stride + index % columns]);
    sum += value;
    squares += value * value;
    positive += value > 0.0 ? 1.0 : 0.0;
  }
  sum = block_sum(sum, shared);
  squares = block_sum(squares, shared);
  positive = block_sum(positive, shared);
  if (threadIdx.x == 0) {
    partial[3 * blockIdx.x] = sum;
    partial[3 * blockIdx.x + 1] = squares;
    partial[3 * blockIdx.x + 2] = positive;
  }
}

KERNEL __launch_bounds__(256) statistics_total(const double* partial, i64 count, i64 values, float* result) {
  begin_kernel();
  __shared__ double shared[32];
  for (int which = 0; which < 3; ++which) {
    double sum = 0.0;
    for (i64 i = threadIdx.x; i < count; i += blockDim.x) sum += partial[3 * i + which];
    sum = block_sum(sum, shared);
    if (threadIdx.x == 0) result[which] = (float)(which < 2 ? sum : values > 0 ? sum / (double)values : 0.0);
  }
}
