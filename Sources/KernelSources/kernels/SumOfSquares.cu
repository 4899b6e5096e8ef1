// The sum of squares in double precision: chunks by a fixed grid, then their sums by one block.
// partial_packed: a dense stretch of whole packs.
#include "pack.cuh"
#include "reduce.cuh"

KERNEL __launch_bounds__(256) partial_sums(const element* values, i64 stride, i64 rows, i64 columns,
                                           double* partial) {
  begin_kernel();
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
  begin_kernel();
  __shared__ double shared[32];
  double sum = 0.0;
  for (i64 i = threadIdx.x; i < count; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) *result = (float)sum;
}

KERNEL __launch_bounds__(256) partial_packed(const element* values, i64 packs, double* partial) {
  begin_kernel();
  __shared__ double shared[32];
  double sum = 0.0;
#pragma unroll 4
  for (i64 i = thread_index(); i < packs; i += thread_count()) {
    float numbers[PACK];
    load_pack(values + i * PACK, numbers);
    // Four squares are exact to 2^-24 of themselves; their sums are not what loses precision.
    float squares[PACK / 4];
#pragma unroll
    for (int k = 0; k < PACK / 4; ++k) {
      squares[k] = 0.0f;
      for (int j = 0; j < 4; ++j) squares[k] = fmaf(numbers[4 * k + j], numbers[4 * k + j], squares[k]);
      sum += (double)squares[k];
    }
  }
  sum = block_sum(sum, shared);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}
