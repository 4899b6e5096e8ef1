// Kept entries of a [T, f] matrix to and from their packed form: a block per position.
#include "pattern.cuh"

KERNEL pack(const element* values, i64 stride, element* packed, i64 packed_stride, Pattern pattern) {
  const i64 position = blockIdx.x;
  const u16* list = pattern.list(position / pattern.block_tokens);
  const element* from = values + pattern.token(position) * stride;
  for (i64 j = threadIdx.x; j < pattern.kept; j += blockDim.x) packed[position * packed_stride + j] = from[list[j]];
}

KERNEL unpack(const element* packed, i64 packed_stride, element* values, i64 stride, i64 columns, Pattern pattern) {
  const i64 position = blockIdx.x;
  const u16* list = pattern.list(position / pattern.block_tokens);
  element* to = values + pattern.token(position) * stride;
  for (i64 i = threadIdx.x; i < columns; i += blockDim.x) to[i] = from_float(0.0f);
  __syncthreads();
  for (i64 j = threadIdx.x; j < pattern.kept; j += blockDim.x) to[list[j]] = packed[position * packed_stride + j];
}
