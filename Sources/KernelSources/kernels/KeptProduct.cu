// Products 1 and 3: only the kept entries of input * weights^T, packed.
//
// Grid (kept / 64, tokens of a block / 64, blocks), 256 threads. No tensor cores: the definition
// for the GPU; see hopper/ for the fast form.
#include "pattern.cuh"
#include "tile_product.cuh"

KERNEL __launch_bounds__(256) kept_product(const element* input, i64 input_stride, const element* weights,
                                           i64 weights_stride, element* output, i64 output_stride,
                                           const element* activation, i64 activation_stride, i64 width, int epilogue,
                                           Pattern pattern) {
  begin_kernel();
  __shared__ TileShared shared;
  const i64 block = blockIdx.z, first = block * pattern.block_tokens + (i64)blockIdx.y * TILE;
  i64 end = (block + 1) * pattern.block_tokens;
  if (end > pattern.tokens) end = pattern.tokens;
  if (first >= end) return;
  const i64 j0 = (i64)blockIdx.x * TILE;
  const u16* list = pattern.list(block);
  TileSums sums;
  tile_product<true, true>(
      width,
      [&](int i, i64 d) {
        return first + i < end ? to_float(input[pattern.token(first + i) * input_stride + d]) : 0.0f;
      },
      [&](i64 d, int j) {
        return j0 + j < pattern.kept ? to_float(weights[(i64)list[j0 + j] * weights_stride + d]) : 0.0f;
      },
      shared, sums);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const i64 position = first + TileSums::row(i), column = j0 + TileSums::column(j);
      if (position >= end || column >= pattern.kept) continue;
      const float a = activation ? to_float(activation[position * activation_stride + column]) : 0.0f;
      output[position * output_stride + column] = from_float(apply_epilogue(sums.value[i][j], epilogue, a));
    }
  }
}
