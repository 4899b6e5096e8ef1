// Kept entries of a [T, f] matrix to and from their packed form: a block per position.
//
// pack_8 (bfloat16, K a multiple of 8, lists and packed rows at 16-byte addresses): eight entries of a list
// per thread and one 16-byte store; pack: one entry.
//
// Floor: at density 1/8 nearly every 32-byte sector of a row holds a kept entry (1 - (7/8)^16 = 88 %), so [T, f]
// is read once in effect: T 16384, f 16384: 475 MB and 67 MB written, 0.18 ms at 3 TB/s.
#include "pattern.cuh"

KERNEL pack(const element* values, i64 stride, element* packed, i64 packed_stride, Pattern pattern) {
  begin_kernel();
  const i64 position = blockIdx.x;
  const u16* list = pattern.list(position / pattern.block_tokens);
  const element* from = values + pattern.token(position) * stride;
  for (i64 j = threadIdx.x; j < pattern.kept; j += blockDim.x) packed[position * packed_stride + j] = from[list[j]];
}

#if KRAIT_BFLOAT16
KERNEL __launch_bounds__(256) pack_8(const element* __restrict__ values, i64 stride, element* __restrict__ packed,
                                     i64 packed_stride, Pattern pattern) {
  begin_kernel();
  const i64 position = blockIdx.x;
  const uint4* list = (const uint4*)pattern.list(position / pattern.block_tokens);
  const element* from = values + pattern.token(position) * stride;
  uint4* to = (uint4*)(packed + position * packed_stride);
  for (int j = threadIdx.x; j < pattern.kept / 8; j += blockDim.x) {
    const uint4 eight = list[j];
    const u32 entries[4] = {eight.x, eight.y, eight.z, eight.w};
    u32 values[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      values[i] = (u32)from[entries[i] & 0xffffu] | (u32)from[entries[i] >> 16] << 16;
    }
    to[j] = make_uint4(values[0], values[1], values[2], values[3]);
  }
}
#endif

KERNEL unpack(const element* packed, i64 packed_stride, element* values, i64 stride, i64 columns, Pattern pattern) {
  begin_kernel();
  const i64 position = blockIdx.x;
  const u16* list = pattern.list(position / pattern.block_tokens);
  element* to = values + pattern.token(position) * stride;
  if ((u64)to % 16 == 0 && columns * sizeof(element) % 16 == 0) {
    uint4* chunks = (uint4*)to;
    for (i64 i = threadIdx.x; i < columns * (i64)sizeof(element) / 16; i += blockDim.x) {
      chunks[i] = make_uint4(0, 0, 0, 0);
    }
  } else {
    for (i64 i = threadIdx.x; i < columns; i += blockDim.x) to[i] = from_float(0.0f);
  }
  __syncthreads();
  for (i64 j = threadIdx.x; j < pattern.kept; j += blockDim.x) to[list[j]] = packed[position * packed_stride + j];
}
