// Rows of a table, one per token, and the gradient of that.
//
// forward: a block per token; forward_packed: a thread for 16 bytes, a block for every so many-th token. An id outside
// of the table gives NaN, which the loss shows. backward: tokens arrive sorted by id, equal ids in token order; the block at the first
// position of an id adds its rows in that order: reproducible without atomics.
// replace: the same where nothing was before, a block per row of the table; rows of no token become zero.
// replace_packed takes the sums that chunk_sums made of every 32 sorted tokens that have one id: in text one of 16384
// ids has 2341 of 49152 tokens (d 768), and one block that added them took 0.87 ms; now 0.07, with ids as frequent as
// each other 0.04 (0.03 before; one H200, 2026-11-26, both kernels alone).
#include "pack.cuh"

KERNEL forward(const int* tokens, const element* table, i64 table_stride, i64 vocabulary, element* output,
               i64 output_stride, i64 width) {
  begin_kernel();
  const i64 token = blockIdx.x, row = tokens[token];
  const bool known = row >= 0 && row < vocabulary;
  for (i64 column = threadIdx.x; column < width; column += blockDim.x) {
    output[token * output_stride + column] =
        known ? table[row * table_stride + column] : from_float(NOT_A_NUMBER);
  }
}

KERNEL forward_packed(const int* tokens, const element* table, i64 table_stride, i64 vocabulary, element* output,
                      i64 output_stride, i64 width, i64 count) {
  begin_kernel();
#pragma unroll 4
  for (i64 token = blockIdx.x; token < count; token += gridDim.x) {
    const i64 row = tokens[token];
    const bool is_known = row >= 0 && row < vocabulary;
    float values[PACK];
#pragma unroll
    for (int i = 0; i < PACK; ++i) values[i] = NOT_A_NUMBER;
    for (i64 column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
      if (is_known) load_pack(table + row * table_stride + column, values);
      store_pack(output + token * output_stride + column, values);
    }
  }
}

// Grid (positions, width / 256).
KERNEL backward(const u32* keys, const int* order, i64 count, const element* gradient, i64 gradient_stride,
                float* table, i64 table_stride, i64 vocabulary, i64 width) {
  begin_kernel();
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

// Where each id's tokens start and end among the sorted ones; both are zero before.
KERNEL mark_spans(const u32* keys, i64 count, int2* spans, i64 vocabulary) {
  begin_kernel();
  const i64 i = thread_index();
  if (i >= count || keys[i] >= vocabulary) return;
  if (i == 0 || keys[i - 1] != keys[i]) spans[keys[i]].x = (int)i;
  if (i + 1 == count || keys[i + 1] != keys[i]) spans[keys[i]].y = (int)i + 1;
}

DEV void store_numbers(float* at, const float (&sums)[PACK]) { store_floats(at, sums); }
#if KRAIT_BFLOAT16
DEV void store_numbers(element* at, const float (&sums)[PACK]) { store_pack(at, sums); }
DEV void store_number(element* at, float sum) { *at = from_float(sum); }
#endif
DEV void store_number(float* at, float sum) { *at = sum; }

template <typename G>
DEV void replace_row(const int* order, const int2* spans, const element* gradient, i64 gradient_stride, G* table,
                     i64 table_stride, i64 width) {
  const int2 span = spans[blockIdx.x];
  G* row = table + (i64)blockIdx.x * table_stride;
  for (i64 column = threadIdx.x; column < width; column += blockDim.x) {
    float sum = 0.0f;
    for (int i = span.x; i < span.y; ++i) sum += to_float(gradient[(i64)order[i] * gradient_stride + column]);
    store_number(row + column, sum);
  }
}

// Sorted tokens that are added together where they have one id.
constexpr int CHUNK = 32;

// Rows of sorted tokens [first, end), added in order; eight loads are on their way.
DEV void add_rows(const int* order, const element* gradient, i64 stride, i64 column, int first, int end,
                  float (&sums)[PACK]) {
  float values[PACK];
  int i = first;
  for (; i + 8 <= end; i += 8) {
    uint4 rows[8];
#pragma unroll
    for (int j = 0; j < 8; ++j) rows[j] = load_raw(gradient + (i64)order[i + j] * stride + column);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      unpack(rows[j], values);
#pragma unroll
      for (int k = 0; k < PACK; ++k) sums[k] += values[k];
    }
  }
  for (; i < end; ++i) {
    load_pack(gradient + (i64)order[i] * stride + column, values);
#pragma unroll
    for (int k = 0; k < PACK; ++k) sums[k] += values[k];
  }
}

// Grid (whole chunks). Chunks of several ids are left as they are.
KERNEL __launch_bounds__(256) chunk_sums(const u32* keys, const int* order, const element* gradient,
                                         i64 gradient_stride, float* chunks, i64 width) {
  begin_kernel();
  const int first = blockIdx.x * CHUNK;
  if (keys[first] != keys[first + CHUNK - 1]) return;
  for (i64 column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    float sums[PACK];
#pragma unroll
    for (int k = 0; k < PACK; ++k) sums[k] = 0.0f;
    add_rows(order, gradient, gradient_stride, column, first, first + CHUNK, sums);
    store_floats(chunks + (i64)blockIdx.x * width + column, sums);
  }
}

template <typename G>
DEV void replace_row_packed(const int* order, const int2* spans, const element* gradient, i64 gradient_stride, G* table,
                            i64 table_stride, i64 width, const float* chunks) {
  const int2 span = spans[blockIdx.x];
  // Whole chunks of the span, and what lies before and after them.
  const int first = (span.x + CHUNK - 1) / CHUNK, end = max(first, span.y / CHUNK);
  const int before = min(first * CHUNK, span.y), after = max(end * CHUNK, before);
  G* row = table + (i64)blockIdx.x * table_stride;
  for (i64 column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    float sums[PACK];
#pragma unroll
    for (int k = 0; k < PACK; ++k) sums[k] = 0.0f;
    add_rows(order, gradient, gradient_stride, column, span.x, before, sums);
#pragma unroll 8
    for (int chunk = first; chunk < end; ++chunk) {
      float values[PACK];
      load_floats(chunks + (i64)chunk * width + column, values);
#pragma unroll
      for (int k = 0; k < PACK; ++k) sums[k] += values[k];
    }
    add_rows(order, gradient, gradient_stride, column, after, span.y, sums);
    store_numbers(row + column, sums);
  }
}

#define REPLACE(NAME, G)                                                                                        \
  KERNEL __launch_bounds__(256) NAME(const int* order, const int2* spans, const element* gradient,              \
                                     i64 gradient_stride, G* table, i64 table_stride, i64 width) {              \
    begin_kernel();                                                                                             \
    replace_row<G>(order, spans, gradient, gradient_stride, table, table_stride, width);                        \
  }
#define REPLACE_PACKED(NAME, G)                                                                                 \
  KERNEL __launch_bounds__(256) NAME(const int* order, const int2* spans, const element* gradient,              \
                                     i64 gradient_stride, G* table, i64 table_stride, i64 width,                \
                                     const float* chunks) {                                                     \
    begin_kernel();                                                                                             \
    replace_row_packed<G>(order, spans, gradient, gradient_stride, table, table_stride, width, chunks);         \
  }

REPLACE(replace, float)
REPLACE_PACKED(replace_packed, float)
#if KRAIT_BFLOAT16
REPLACE(replace_narrow, element)
REPLACE_PACKED(replace_packed_narrow, element)
#endif
