// Rows of a table, one per token, and the gradient of that.
//
// forward: a block per token, forward_packed by 16 bytes; an id outside of the table gives NaN, which the loss
// shows. backward: tokens arrive sorted by id, equal ids in token order; the block at the first
// position of an id adds its rows in that order: reproducible without atomics.
#include "pack.cuh"

KERNEL forward(const int* tokens, const element* table, i64 table_stride, i64 vocabulary, element* output,
               i64 output_stride, i64 width) {
  const i64 token = blockIdx.x, row = tokens[token];
  const bool known = row >= 0 && row < vocabulary;
  for (i64 column = threadIdx.x; column < width; column += blockDim.x) {
    output[token * output_stride + column] =
        known ? table[row * table_stride + column] : from_float(NOT_A_NUMBER);
  }
}

KERNEL forward_packed(const int* tokens, const element* table, i64 table_stride, i64 vocabulary, element* output,
                      i64 output_stride, i64 width) {
  const i64 token = blockIdx.x, row = tokens[token];
  const bool is_known = row >= 0 && row < vocabulary;
  float values[PACK];
#pragma unroll
  for (int i = 0; i < PACK; ++i) values[i] = NOT_A_NUMBER;
  for (i64 column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    if (is_known) load_pack(table + row * table_stride + column, values);
    store_pack(output + token * output_stride + column, values);
  }
}

// Grid (positions, width / 256).
KERNEL backward(const u32* keys, const int* order, i64 count, const element* gradient, i64 gradient_stride,
                float* table, i64 table_stride, i64 vocabulary, i64 width) {
  const i64 first = blockIdx.x, column = (i64)blockIdx.y * blockDim.x + threadIdx.x;
  const u32 key = keys[first];
  if (key >= vocabulary || (first > 0 && keys[first - 1] == key) || column >= width) return;
  i64 end = first + 1;
  while (end < count && keys[end] == key) ++end;
  float* target = table + (i64)key * table_stride + column;
  float sum = *target;
  i64 position = first;
  for (; position + 8 <= end; position += 8) {
    float rows[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) rows[i] = to_float(gradient[(i64)order[position + i] * gradient_stride + column]);
#pragma unroll
    for (int i = 0; i < 8; ++i) sum += rows[i];
  }
  for (; position < end; ++position) sum += to_float(gradient[(i64)order[position] * gradient_stride + column]);
  *target = sum;
}
