// 2:4 soft-thresholded weights, and the two sums that beta is made of.
//
// threshold: a thread per four weights, grid-stride; threshold_packed: a block of 256 threads for every row of
// bfloat16 at 16-byte addresses, a thread for eight weights at a time (with a copy in 8 bits:
// hopper/two_four_energies.cu). moments: fixed grid of 256 threads, double
// precision; moments_total: one block.
#include "reduce.cuh"
#include "soft_threshold.cuh"

DEV void shrink(const element* weights, float (&w)[4], float (&shrunk)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) w[i] = to_float(weights[i]);
  shrink_four(w, shrunk);
}

KERNEL threshold(const element* weights, i64 stride, element* output, i64 output_stride, i64 rows, i64 columns,
                 float scale) {
  begin_kernel();
  const i64 groups = columns / 4;
  for (i64 index = thread_index(); index < rows * groups; index += thread_count()) {
    const i64 row = index / groups, column = index % groups * 4;
    float w[4], shrunk[4];
    shrink(weights + row * stride + column, w, shrunk);
#pragma unroll
    for (int i = 0; i < 4; ++i) output[row * output_stride + column + i] = from_float(scale * shrunk[i]);
  }
}

#if KRAIT_BFLOAT16
KERNEL __launch_bounds__(256) threshold_packed(const element* weights, i64 stride, element* output, i64 output_stride,
                                               int columns, float scale) {
  begin_kernel();
  const uint4* const from = (const uint4*)(weights + blockIdx.x * stride);
  uint4* const to = (uint4*)(output + blockIdx.x * output_stride);
  for (int i = threadIdx.x; i < columns / 8; i += 256) {
    const uint4 eight = from[i];
    const u32 words[4] = {eight.x, eight.y, eight.z, eight.w};
    u32 results[4];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const u32 low = words[2 * half], high = words[2 * half + 1];
      const element four[4] = {(u16)low, (u16)(low >> 16), (u16)high, (u16)(high >> 16)};
      float w[4], shrunk[4];
      shrink(four, w, shrunk);
      results[2 * half] = from_float(scale * shrunk[0]) | (u32)from_float(scale * shrunk[1]) << 16;
      results[2 * half + 1] = from_float(scale * shrunk[2]) | (u32)from_float(scale * shrunk[3]) << 16;
    }
    to[i] = make_uint4(results[0], results[1], results[2], results[3]);
  }
}
#endif

KERNEL __launch_bounds__(256) moments(const element* weights, i64 stride, i64 rows, i64 columns, double* partial) {
  begin_kernel();
  __shared__ double shared[32];
  const i64 groups = columns / 4;
  double product = 0.0, square = 0.0;
  for (i64 index = thread_index(); index < rows * groups; index += thread_count()) {
    float w[4], shrunk[4];
    shrink(weights + index / groups * stride + index % groups * 4, w, shrunk);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      product += (double)w[i] * shrunk[i];
      square += (double)shrunk[i] * shrunk[i];
    }
  }
  product = block_sum(product, shared);
  square = block_sum(square, shared);
  if (threadIdx.x == 0) {
    partial[2 * blockIdx.x] = product;
    partial[2 * blockIdx.x + 1] = square;
  }
}

KERNEL __launch_bounds__(256) moments_total(const double* partial, i64 count, float* result) {
  begin_kernel();
  __shared__ double shared[32];
  double product = 0.0, square = 0.0;
  for (i64 i = threadIdx.x; i < count; i += blockDim.x) {
    product += partial[2 * i];
    square += partial[2 * i + 1];
  }
  product = block_sum(product, shared);
  square = block_sum(square, shared);
  if (threadIdx.x == 0) {
    result[0] = (float)product;
    result[1] = (float)square;
  }
}
