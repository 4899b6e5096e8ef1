// Sums over the rows of each block, in ascending position.
//
// block_sums_8: eight neighbouring columns per thread, where rows are made of 16-byte chunks (bfloat16
// only); block_sums: a column per thread. Grid (column threads / 128 or 256, blocks).
//
// Floor: every value read once: T 16384, f 16384, bf16: 537 MB, 0.18 ms at 3 TB/s.
#include "element.cuh"

KERNEL block_sums(const element* values, i64 stride, i64 rows, i64 columns, i64 block_rows, float* sums,
                  i64 sums_stride) {
  begin_kernel();
  const i64 column = thread_index(), block = blockIdx.y;
  if (column >= columns) return;
  const i64 first = block * block_rows, end = first + block_rows < rows ? first + block_rows : rows;
  float sum = 0.0f;
#pragma unroll 8
  for (i64 position = first; position < end; ++position) {
    sum += to_float(values[position * stride + column]);
  }
  sums[block * sums_stride + column] = sum;
}

#if KRAIT_BFLOAT16
KERNEL __launch_bounds__(128) block_sums_8(const element* __restrict__ values, i64 stride, i64 rows, i64 columns,
                                           i64 block_rows, float* __restrict__ sums, i64 sums_stride) {
  begin_kernel();
  const i64 column = thread_index() * 8, block = blockIdx.y;
  if (column >= columns) return;
  const i64 first = block * block_rows, end = first + block_rows < rows ? first + block_rows : rows;
  float sum[8];
#pragma unroll
  for (int i = 0; i < 8; ++i) sum[i] = 0.0f;
#pragma unroll 8
  for (i64 position = first; position < end; ++position) {
    const uint4 eight = *(const uint4*)(values + position * stride + column);
    const u32 pairs[4] = {eight.x, eight.y, eight.z, eight.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      sum[2 * i] += __uint_as_float(pairs[i] << 16);
      sum[2 * i + 1] += __uint_as_float(pairs[i] & 0xffff0000u);
    }
  }
  float4* to = (float4*)(sums + block * sums_stride + column);
  to[0] = make_float4(sum[0], sum[1], sum[2], sum[3]);
  to[1] = make_float4(sum[4], sum[5], sum[6], sum[7]);
}
#endif
