// Products 2 and 5: packed values times gathered rows, written where the tokens came from.
//
// Grid (width / 64, tokens of a block / 64, blocks), 256 threads. No tensor cores: the definition
// for the GPU; see hopper/ for the fast form.
#include "pattern.cuh"
#include "tile_product.cuh"

KERNEL __launch_bounds__(256) packed_product(const element* packed, i64 packed_stride, const element* weights,
                                             i64 weights_stride, element* output, i64 output_stride,
                                             const element* addend, i64 addend_stride, i64 width, Pattern pattern) {
  begin_kernel();
  __shared__ TileShared shared;
  const i64 block = blockIdx.z, first = block * pattern.block_tokens + (i64)blockIdx.y * TILE;
  i64 end = (block + 1) * pattern.block_tokens;
  if (end > pattern.tokens) end = pattern.tokens;
  if (first >= end) return;
  const i64 n0 = (i64)blockIdx.x * TILE;
  const u16* list = pattern.list(block);
  TileSums sums;
  tile_product<true, false>(
      pattern.kept,
      [&](int i, i64 j) { return first + i < end ? to_float(packed[(first + i) * packed_stride + j]) : 0.0f; },
      [&](i64 j, int n) {
        return n0 + n < width ? to_float(weights[(i64)list[j] * weights_stride + n0 + n]) : 0.0f;
      },
      shared, sums);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const i64 position = first + TileSums::row(i), column = n0 + TileSums::column(j);
      if (position >= end || column >= width) continue;
      const i64 token = pattern.token(position);
      const float before = addend ? to_float(addend[token * addend_stride + column]) : 0.0f;
      output[token * output_stride + column] = from_float(sums.value[i][j] + before);
    }
  }
}
