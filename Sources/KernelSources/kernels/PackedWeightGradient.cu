// Products 4 and 6: the gradient of kept neurons, token blocks in ascending order.
//
// Grid (width / 64, neurons / 64), 256 threads. A thread block owns 64 neurons and 64 columns of
// the gradient, finds its neurons in every token block's ascending list by bisection, and adds
// what they got there: reproducible without atomics. No tensor cores.
#include "pattern.cuh"

constexpr int NEURONS = 64, COLUMNS = 64, POSITIONS = 32;

DEV int first_at_least(const u16* list, int count, i64 value) {
  int low = 0, high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (list[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

KERNEL __launch_bounds__(256) packed_weight_gradient(const element* packed, i64 packed_stride, const element* rows,
                                                     i64 rows_stride, float* gradient, i64 gradient_stride,
                                                     i64 neurons, i64 width, Pattern pattern) {
  begin_kernel();
  __shared__ float sums[NEURONS][COLUMNS];
  __shared__ float values[POSITIONS][NEURONS];
  __shared__ float tokens[POSITIONS][COLUMNS];
  const i64 neuron0 = (i64)blockIdx.y * NEURONS, column0 = (i64)blockIdx.x * COLUMNS;
  const int column = threadIdx.x % COLUMNS, lane = threadIdx.x / COLUMNS;
  for (int i = lane; i < NEURONS; i += 4) {
    const bool inside = neuron0 + i < neurons && column0 + column < width;
    sums[i][column] = inside ? gradient[(neuron0 + i) * gradient_stride + column0 + column] : 0.0f;
  }
  const i64 blocks = (pattern.tokens + pattern.block_tokens - 1) / pattern.block_tokens;
  for (i64 block = 0; block < blocks; ++block) {
    const u16* list = pattern.list(block);
    const int low = first_at_least(list, (int)pattern.kept, neuron0);
    const int count = first_at_least(list, (int)pattern.kept, neuron0 + NEURONS) - low;
    if (count == 0) continue;
    i64 end = (block + 1) * pattern.block_tokens;
    if (end > pattern.tokens) end = pattern.tokens;
    for (i64 start = block * pattern.block_tokens; start < end; start += POSITIONS) {
      __syncthreads();
      for (int i = threadIdx.x; i < POSITIONS * COLUMNS; i += 256) {
        const int p = i / COLUMNS, c = i % COLUMNS;
        const bool inside = start + p < end && column0 + c < width;
        tokens[p][c] = inside ? to_float(rows[pattern.token(start + p) * rows_stride + column0 + c]) : 0.0f;
      }
      for (int i = threadIdx.x; i < POSITIONS * count; i += 256) {
        const int p = i / count, j = i % count;
        values[p][j] = start + p < end ? to_float(packed[(start + p) * packed_stride + low + j]) : 0.0f;
      }
      __syncthreads();
      for (int j = lane; j < count; j += 4) {
        float sum = 0.0f;
#pragma unroll
        for (int p = 0; p < POSITIONS; ++p) sum = fmaf(values[p][j], tokens[p][column], sum);
        sums[list[low + j] - neuron0][column] += sum;
      }
    }
  }
  __syncthreads();  // Sums of a row come from several threads.
  for (int i = lane; i < NEURONS; i += 4) {
    if (neuron0 + i < neurons && column0 + column < width) {
      gradient[(neuron0 + i) * gradient_stride + column0 + column] = sums[i][column];
    }
  }
}
