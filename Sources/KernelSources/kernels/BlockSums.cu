// Sums over the rows of each block, in ascending position: grid (columns / 256, blocks).
#include "element.cuh"

KERNEL block_sums(const element* values, i64 stride, const int* order, i64 rows, i64 columns, i64 block_rows,
                  float* sums, i64 sums_stride) {
  const i64 column = thread_index(), block = blockIdx.y;
  if (column >= columns) return;
  const i64 first = block * block_rows, end = first + block_rows < rows ? first + block_rows : rows;
  float sum = 0.0f;
#pragma unroll 8
  for (i64 position = first; position < end; ++position) {
    sum += to_float(values[(order ? (i64)order[position] : position) * stride + column]);
  }
  sums[block * sums_stride + column] = sum;
}
