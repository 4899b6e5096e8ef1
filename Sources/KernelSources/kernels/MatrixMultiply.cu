// output = epilogue(alpha * op(left) * op(right)) + addend, where the matrix library cannot.
//
// product: grid (columns / 64, rows / 64), 256 threads. finish: the epilogue and the addend as a
// pass over a product that the library stored; grid-stride, 256 threads.
// Element types: factors and activation `element`; output and addend float32 when wide is set.
#include "tile_product.cuh"

DEV float load_wide(const void* base, i64 index, int wide) {
  return wide ? ((const float*)base)[index] : to_float(((const element*)base)[index]);
}

DEV void store_wide(void* base, i64 index, float value, int wide) {
  if (wide) ((float*)base)[index] = value;
  else ((element*)base)[index] = from_float(value);
}

template <bool LEFT_TRANSPOSED, bool RIGHT_TRANSPOSED>
DEV void product(const element* left, i64 left_stride, const element* right, i64 right_stride, void* output,
                 i64 output_stride, const void* addend, i64 addend_stride, const element* activation,
                 i64 activation_stride, i64 m, i64 n, i64 k, float alpha, int epilogue, int wide) {
  __shared__ TileShared shared;
  TileSums sums;
  const i64 m0 = (i64)blockIdx.y * TILE, n0 = (i64)blockIdx.x * TILE;
  tile_product<!LEFT_TRANSPOSED, RIGHT_TRANSPOSED>(
      k,
      [&](int i, i64 d) {
        if (m0 + i >= m) return 0.0f;
        return to_float(LEFT_TRANSPOSED ? left[d * left_stride + m0 + i] : left[(m0 + i) * left_stride + d]);
      },
      [&](i64 d, int j) {
        if (n0 + j >= n) return 0.0f;
        return to_float(RIGHT_TRANSPOSED ? right[(n0 + j) * right_stride + d] : right[d * right_stride + n0 + j]);
      },
      shared, sums);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const i64 row = m0 + TileSums::row(i), column = n0 + TileSums::column(j);
      if (row >= m || column >= n) continue;
      const float a = activation ? to_float(activation[row * activation_stride + column]) : 0.0f;
      float value = apply_epilogue(alpha * sums.value[i][j], epilogue, a);
      if (addend) value += load_wide(addend, row * addend_stride + column, wide);
      store_wide(output, row * output_stride + column, value, wide);
    }
  }
}

#define PRODUCT(name, left_transposed, right_transposed)                                                        \
  KERNEL __launch_bounds__(256) name(                                                                           \
      const element* left, i64 left_stride, const element* right, i64 right_stride, void* output,               \
      i64 output_stride, const void* addend, i64 addend_stride, const element* activation,                      \
      i64 activation_stride, i64 m, i64 n, i64 k, float alpha, int epilogue, int wide) {                        \
    begin_kernel();                                                                                             \
    product<left_transposed, right_transposed>(left, left_stride, right, right_stride, output, output_stride,   \
                                               addend, addend_stride, activation, activation_stride, m, n, k,   \
                                               alpha, epilogue, wide);                                          \
  }

PRODUCT(product_nn, false, false)
PRODUCT(product_nt, false, true)
PRODUCT(product_tn, true, false)
PRODUCT(product_tt, true, true)

KERNEL finish(void* output, i64 output_stride, const void* addend, i64 addend_stride, const element* activation,
              i64 activation_stride, i64 rows, i64 columns, int epilogue, int wide) {
  begin_kernel();
  for (i64 index = thread_index(); index < rows * columns; index += thread_count()) {
    const i64 row = index / columns, column = index % columns;
    const float a = activation ? to_float(activation[row * activation_stride + column]) : 0.0f;
    const i64 place = row * output_stride + column;
    float value = apply_epilogue(load_wide(output, place, wide), epilogue, a);
    if (addend) value += load_wide(addend, row * addend_stride + column, wide);
    store_wide(output, place, value, wide);
  }
}
