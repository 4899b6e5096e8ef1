// y = x / sqrt(mean(x^2) + epsilon) * weight, and its gradients. Weights are float32.
//
// forward: with an order, row i of the output is that of row order[i] of the input.
// forward, backward: a block of 256 threads per row. weight_partial: grid (width / 256, chunks);
// a thread sums its column over the rows of a chunk, in order. weight_sum adds the chunks, by a block
// for every 32 columns, in an order that never changes.
// forward_narrow: a warp for every row of at most 128 packs of 16 bytes, eight to a block: no barriers, and three times the
// bytes on their way that blocks of three warps have (d 768 in a step on an H200, 2026-11-26: 29.6 us, 3.45 TB/s; 31.7 with
// such blocks).
// forward_packed, backward_packed: a thread for 16 bytes of a row, so that a row is read once. A block of the first takes
// every so many-th row (a block for every row costs more: begin_kernel by 49152 blocks took 20 us of an H200), one
// of the second walks over the rows of a chunk and keeps the weight's gradient in registers. With an order it takes
// the rows in that order and writes what they become to `copy` as well, one after the other. forward_eight_bit and
// forward_narrow_eight_bit do as those without, and write every `step`th row of the output in 8 bits as well, densely:
// what BlockEnergies would otherwise read it for.
#include "pack.cuh"
#include "e4m3.cuh"
#include "reduce.cuh"

KERNEL __launch_bounds__(256) forward(const element* input, i64 input_stride, const float* weight, element* output,
                                      i64 output_stride, float* inverse_rms, i64 width, float epsilon, const int* order) {
  begin_kernel();
  __shared__ float shared[32];
  const i64 row = blockIdx.x, from = order ? order[row] : row;
  const element* x = input + from * input_stride;
  float squares = 0.0f;
  for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
    const float value = to_float(x[i]);
    squares = fmaf(value, value, squares);
  }
  const float inverse = 1.0f / sqrtf(block_sum(squares, shared) / (float)width + epsilon);
  if (threadIdx.x == 0) inverse_rms[from] = inverse;
  element* y = output + row * output_stride;
  for (i64 i = threadIdx.x; i < width; i += blockDim.x) y[i] = from_float(to_float(x[i]) * inverse * weight[i]);
}

KERNEL __launch_bounds__(256) backward(const element* gradient, i64 gradient_stride, const element* input,
                                       i64 input_stride, const float* weight, const float* inverse_rms,
                                       element* input_gradient, i64 input_gradient_stride, i64 width) {
  begin_kernel();
  __shared__ float shared[32];
  const i64 row = blockIdx.x;
  const element* g = gradient + row * gradient_stride;
  const element* x = input + row * input_stride;
  float product = 0.0f;
  for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
    product = fmaf(to_float(g[i]) * weight[i], to_float(x[i]), product);
  }
  const float inverse = inverse_rms[row];
  const float pull = block_sum(product, shared) / (float)width * inverse * inverse * inverse;
  element* target = input_gradient + row * input_gradient_stride;
  for (i64 i = threadIdx.x; i < width; i += blockDim.x) {
    const float change = inverse * to_float(g[i]) * weight[i] - to_float(x[i]) * pull;
    target[i] = from_float(to_float(target[i]) + change);
  }
}

KERNEL __launch_bounds__(256) weight_partial(const element* gradient, i64 gradient_stride, const element* input,
                                             i64 input_stride, const float* inverse_rms, float* partial, i64 rows,
                                             i64 width, i64 rows_per_chunk) {
  begin_kernel();
  const i64 column = (i64)blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= width) return;
  const i64 first = (i64)blockIdx.y * rows_per_chunk;
  const i64 end = first + rows_per_chunk < rows ? first + rows_per_chunk : rows;
  float sum = 0.0f;
#pragma unroll 8
  for (i64 row = first; row < end; ++row) {
    sum = fmaf(to_float(gradient[row * gradient_stride + column]) * inverse_rms[row],
               to_float(input[row * input_stride + column]), sum);
  }
  partial[(i64)blockIdx.y * width + column] = sum;
}

KERNEL __launch_bounds__(1024) weight_sum(const float* partial, i64 chunks, i64 width, float* weight_gradient) {
  begin_kernel();
  __shared__ float shared[32 * 33];
  const int lane = threadIdx.x & 31, group = threadIdx.x >> 5;
  const i64 first = (i64)blockIdx.x * 32, column = first + lane;
  float sum = 0.0f;
  if (column < width) {
#pragma unroll 8
    for (i64 chunk = group; chunk < chunks; chunk += 32) sum += partial[chunk * width + column];
  }
  shared[group * 33 + lane] = sum;
  __syncthreads();
  sum = warp_sum(shared[lane * 33 + group]);
  if (lane == 0 && first + group < width) weight_gradient[first + group] += sum;
}

// `then` is called with what a thread has of a row of the output.
template <typename Then>
DEV void normalize_rows(const element* input, i64 input_stride, const float* weight, element* output, i64 output_stride,
                        float* inverse_rms, i64 width, float epsilon, const int* order, int rows, Then then) {
  __shared__ float shared[32];
  const int column = threadIdx.x * PACK, step = (int)gridDim.x;
  const bool is_inside = column < width;
  float w[PACK];
#pragma unroll
  for (int i = 0; i < PACK; ++i) w[i] = 0.0f;
  if (is_inside) load_floats(weight + column, w);
  input += column;
  output += column;
  auto row_at = [&](int row) { return order && row < rows ? order[row] : row; };
  auto load = [&](int row, int from) {
    return is_inside && row < rows ? load_raw(input + from * input_stride) : make_uint4(0, 0, 0, 0);
  };
  // The next two rows are on their way while this one is summed.
  int row = blockIdx.x, from = row_at(row), next = row_at(row + step), last = row_at(row + 2 * step);
  uint4 raw = load(row, from), next_raw = load(row + step, next);
  for (; row < rows; row += step) {
    const uint4 last_raw = load(row + 2 * step, last);
    const int after = row_at(row + 3 * step);
    float x[PACK];
    unpack(raw, x);
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < PACK; ++i) squares = fmaf(x[i], x[i], squares);
    const float inverse = 1.0f / sqrtf(block_sum(squares, shared) / (float)width + epsilon);
    if (threadIdx.x == 0) inverse_rms[from] = inverse;
    if (is_inside) {
#pragma unroll
      for (int i = 0; i < PACK; ++i) x[i] = x[i] * inverse * w[i];
      store_pack(output + row * output_stride, x);
      then(row, column, x);
    }
    from = next, next = last, last = after;
    raw = next_raw, next_raw = last_raw;
  }
}

// The same by a warp; `rows` of them.
template <typename Then>
DEV void normalize_narrow_row(const element* input, i64 input_stride, const float* weight, element* output,
                              i64 output_stride, float* inverse_rms, int width, float epsilon, const int* order, int rows,
                              Then then) {
  constexpr int MOST = 4;
  const int lane = threadIdx.x & 31, row = blockIdx.x * 8 + (threadIdx.x >> 5);
  if (row >= rows) return;
  const i64 from = order ? order[row] : row;
  input += from * input_stride;
  uint4 raw[MOST];
#pragma unroll
  for (int j = 0; j < MOST; ++j) {
    const int column = (j * 32 + lane) * PACK;
    raw[j] = column < width ? load_raw(input + column) : make_uint4(0, 0, 0, 0);
  }
  float squares = 0.0f;
#pragma unroll
  for (int j = 0; j < MOST; ++j) {
    float x[PACK];
    unpack(raw[j], x);
#pragma unroll
    for (int i = 0; i < PACK; ++i) squares = fmaf(x[i], x[i], squares);
  }
#pragma unroll
  for (int step = 16; step > 0; step >>= 1) squares += __shfl_xor_sync(0xffffffffu, squares, step);
  const float inverse = 1.0f / sqrtf(squares / (float)width + epsilon);
  if (lane == 0) inverse_rms[from] = inverse;
#pragma unroll
  for (int j = 0; j < MOST; ++j) {
    const int column = (j * 32 + lane) * PACK;
    if (column >= width) continue;
    float x[PACK], w[PACK];
    unpack(raw[j], x);
    load_floats(weight + column, w);
#pragma unroll
    for (int i = 0; i < PACK; ++i) x[i] = x[i] * inverse * w[i];
    store_pack(output + (i64)row * output_stride + column, x);
    then(row, column, x);
  }
}

KERNEL __launch_bounds__(1024) forward_packed(const element* input, i64 input_stride, const float* weight,
                                              element* output, i64 output_stride, float* inverse_rms, i64 width,
                                              float epsilon, const int* order, int rows) {
  begin_kernel();
  normalize_rows(input, input_stride, weight, output, output_stride, inverse_rms, width, epsilon, order, rows,
                 [](int, int, const float (&)[PACK]) {});
}

KERNEL __launch_bounds__(256) forward_narrow(const element* input, i64 input_stride, const float* weight, element* output,
                                             i64 output_stride, float* inverse_rms, int width, float epsilon,
                                             const int* order, int rows) {
  begin_kernel();
  normalize_narrow_row(input, input_stride, weight, output, output_stride, inverse_rms, width, epsilon, order, rows,
                       [](int, int, const float (&)[PACK]) {});
}

#if KRAIT_BFLOAT16 && __CUDA_ARCH__ >= 890
DEV void copy_in_eight_bits(u8* copy, int step, int width, int row, int column, float (&x)[PACK]) {
  if (row % step != 0) return;
#pragma unroll
  for (int i = 0; i < PACK; ++i) x[i] *= TOKEN_SCALE;
  *(uint2*)(copy + (i64)(row / step) * width + column) =
      make_uint2(pack_e4m3(x[0], x[1], x[2], x[3]), pack_e4m3(x[4], x[5], x[6], x[7]));
}

KERNEL __launch_bounds__(1024) forward_eight_bit(const element* input, i64 input_stride, const float* weight,
                                                 element* output, i64 output_stride, float* inverse_rms, i64 width,
                                                 float epsilon, const int* order, int rows, u8* copy, int step) {
  begin_kernel();
  normalize_rows(input, input_stride, weight, output, output_stride, inverse_rms, width, epsilon, order, rows,
                 [=](int row, int column, float (&x)[PACK]) {
                   copy_in_eight_bits(copy, step, (int)width, row, column, x);
                 });
}

KERNEL __launch_bounds__(256) forward_narrow_eight_bit(const element* input, i64 input_stride, const float* weight,
                                                       element* output, i64 output_stride, float* inverse_rms, int width,
                                                       float epsilon, const int* order, int rows, u8* copy, int step) {
  begin_kernel();
  normalize_narrow_row(input, input_stride, weight, output, output_stride, inverse_rms, width, epsilon, order, rows,
                       [=](int row, int column, float (&x)[PACK]) {
                         copy_in_eight_bits(copy, step, width, row, column, x);
                       });
}
#endif

KERNEL __launch_bounds__(1024) backward_packed(const element* gradient, i64 gradient_stride, const element* input,
                                               i64 input_stride, const float* weight, const float* inverse_rms,
                                               element* input_gradient, i64 input_gradient_stride, float* partial,
                                               int rows, i64 width, int rows_per_chunk, const int* order,
                                               element* copy, i64 copy_stride) {
  begin_kernel();
  __shared__ float shared[32];
  const int first = (int)blockIdx.x * rows_per_chunk, end = min(first + rows_per_chunk, rows);
  const int column = threadIdx.x * PACK;
  const bool is_inside = column < width;
  const uint4 nothing = make_uint4(0, 0, 0, 0);
  float w[PACK], sums[PACK];
#pragma unroll
  for (int i = 0; i < PACK; ++i) w[i] = sums[i] = 0.0f;
  if (is_inside) load_floats(weight + column, w);
  gradient += column;
  input += column;
  input_gradient += column;
  copy += column;
  auto row_at = [&](int position) { return order && position < end ? (i64)order[position] : (i64)position; };
  i64 row = row_at(first), next = row_at(first + 1);
  // The next row is on its way while this one is summed.
  uint4 next_g = nothing, next_x = nothing, next_target = nothing;
  if (is_inside && first < end) {
    next_g = load_raw(gradient + row * gradient_stride);
    next_x = load_raw(input + row * input_stride);
    next_target = load_raw(input_gradient + row * input_gradient_stride);
  }
  for (int position = first; position < end; ++position) {
    float g[PACK], x[PACK], target[PACK];
    unpack(next_g, g);
    unpack(next_x, x);
    unpack(next_target, target);
    if (is_inside && position + 1 < end) {
      next_g = load_raw(gradient + next * gradient_stride);
      next_x = load_raw(input + next * input_stride);
      next_target = load_raw(input_gradient + next * input_gradient_stride);
    }
    const float inverse = inverse_rms[row];
    float product = 0.0f;
#pragma unroll
    for (int i = 0; i < PACK; ++i) {
      product = fmaf(g[i] * w[i], x[i], product);
      sums[i] = fmaf(g[i] * inverse, x[i], sums[i]);
    }
    const float pull = block_sum(product, shared) / (float)width * inverse * inverse * inverse;
    if (is_inside) {
#pragma unroll
      for (int i = 0; i < PACK; ++i) target[i] += inverse * g[i] * w[i] - x[i] * pull;
      store_pack(input_gradient + row * input_gradient_stride, target);
      if (order) store_pack(copy + position * copy_stride, target);
    }
    row = next;
    next = row_at(position + 2);
  }
  if (is_inside) store_floats(partial + (i64)blockIdx.x * width + column, sums);
}
