#include "attention_panels.h"

#include "clones.h"
#include "exponential.h"

void krait_panels_of_rows(const krait_gemm_family *family, krait_head_rows rows, ptrdiff_t lines,
                          ptrdiff_t k, int panel_width, float *panels) {
  for (ptrdiff_t line = 0; line < lines; line += panel_width) {
    const float *pointers[32];
    const int count = (int)(lines - line < panel_width ? lines - line : panel_width);
    for (int i = 0; i < count; i++) pointers[i] = rows.base + (line + i) * rows.stride;
    // Rows lie far apart, too short for the processor to see where the next ones begin.
    krait_prefetch_rows(rows, line + 2 * panel_width, line + 3 * panel_width, lines, k);
    family->pack_rows(k, panel_width, count, pointers, panels + line * k);
  }
}

void krait_panels_of_columns(const krait_gemm_family *family, int right, krait_head_rows rows,
                             ptrdiff_t lines, ptrdiff_t k, float *panels) {
  const int width = right ? family->tile_n : family->tile_m;
  const float *pointers[KRAIT_BLOCK_K];
  for (ptrdiff_t k0 = 0; k0 < k; k0 += KRAIT_BLOCK_K) {
    const ptrdiff_t kc = k - k0 < KRAIT_BLOCK_K ? k - k0 : KRAIT_BLOCK_K;
    for (ptrdiff_t p = 0; p < kc; p++) pointers[p] = rows.base + (k0 + p) * rows.stride;
    ptrdiff_t line = 0;
    for (; line + width <= lines; line += width) {
      float *panel = panels + line * k + k0 * width;
      (right ? family->copy_right : family->copy_left)(kc, pointers, line, panel);
    }
    if (line == lines) continue;
    const size_t count = (size_t)(lines - line), rest = (size_t)width - count;
    for (ptrdiff_t p = 0; p < kc; p++) {
      float *row = panels + line * k + (k0 + p) * width;
      memcpy(row, pointers[p] + line, count * sizeof(float));
      memset(row + count, 0, rest * sizeof(float));
    }
  }
}

void krait_sum_over_rows(const krait_gemm_family *family, ptrdiff_t lines, ptrdiff_t packed,
                         ptrdiff_t first, ptrdiff_t end, const float *left,
                         const float *right, float *sums, float *tile) {
  const int tile_m = family->tile_m, tile_n = family->tile_n;
  // Blocks of rows: a block of the right panel stays in the first-level cache for all tiles, and
  // no sum is a chain of thousands. They end at multiples of their length wherever `first` is,
  // which depends on the family's tile: families with the same arithmetic give the same bits.
  for (ptrdiff_t k0 = first, next; k0 < end; k0 = next) {
    next = (k0 / KRAIT_BLOCK_K + 1) * KRAIT_BLOCK_K;
    if (next > end) next = end;
    const ptrdiff_t kc = next - k0;
    for (ptrdiff_t line = 0; line < lines; line += tile_m) {
      float *target = sums + line * tile_n;
      const int few = lines - line <= family->few_m;
      (few ? family->product_few : family->product)(kc, left + line * packed + k0 * tile_m,
                                                    right + k0 * tile_n,
                                                    k0 == first ? target : tile);
      if (k0 > first) krait_add(target, tile, (few ? family->few_m : tile_m) * tile_n);
    }
  }
}

void krait_store_transposed(const krait_gemm_family *family, ptrdiff_t lines, int count,
                            const float *sums, krait_head_rows target, int add, float *turned) {
  enum { LINES = 16 };  // whole vectors to write
  const int tile_n = family->tile_n;
  for (ptrdiff_t line = 0; line < lines; line += LINES) {
    const int columns = (int)(lines - line < LINES ? lines - line : LINES);
    const float *pointers[LINES];
    float *rows[32];
    for (int i = 0; i < columns; i++) pointers[i] = sums + (line + i) * tile_n;
    for (int i = 0; i < count; i++) rows[i] = target.base + i * target.stride + line;
    family->pack_rows(tile_n, LINES, columns, pointers, turned);
    family->store(count, columns, turned, LINES, rows, 0, 1, add, 0);
  }
}

// The loops below exist for 32, 16 and 8 columns, so that their inner loops are whole vectors.
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define EACH_WIDTH(call) \
  if (width == 32) {     \
    call(32);            \
  } else if (width == 16) { \
    call(16);            \
  } else {               \
    call(8);             \
  }

ALWAYS_INLINE void column_softmax(float *restrict values, ptrdiff_t rows, int width, float scale,
                                  float *restrict maximum, float *restrict sum) {
  float best[32], total[32];
  for (int j = 0; j < width; j++) best[j] = -INFINITY, total[j] = 0;
  for (ptrdiff_t i = 0; i < rows; i++) {
    const float *row = values + i * width;
    for (int j = 0; j < width; j++) best[j] = row[j] > best[j] ? row[j] : best[j];
  }
  for (int j = 0; j < width; j++) best[j] *= scale;
  // Sums of 64 rows, then their sum: rounding errors stay small for thousands of rows.
  for (ptrdiff_t start = 0; start < rows; start += 64) {
    const ptrdiff_t end = start + 64 < rows ? start + 64 : rows;
    float part[32];
    for (int j = 0; j < width; j++) part[j] = 0;
    for (ptrdiff_t i = start; i < end; i++) {
      float *row = values + i * width;
      for (int j = 0; j < width; j++) {
        const float e = exponential_to_one(scale * row[j] - best[j]);
        row[j] = e;
        part[j] += e;
      }
    }
    for (int j = 0; j < width; j++) total[j] += part[j];
  }
  for (int j = 0; j < width; j++) maximum[j] = best[j], sum[j] = total[j];
}

KRAIT_CLONES void krait_column_softmax(float *values, ptrdiff_t rows, int width, float scale,
                                       float *maximum, float *sum) {
#define CALL(n) column_softmax(values, rows, n, scale, maximum, sum)
  EACH_WIDTH(CALL)
#undef CALL
}

KRAIT_CLONES void krait_scale_columns(float *restrict values, ptrdiff_t rows, int width,
                                      const float *restrict factors) {
  for (ptrdiff_t i = 0; i < rows; i++) {
    for (int j = 0; j < width; j++) values[i * width + j] *= factors[j];
  }
}

ALWAYS_INLINE void row_softmax_gradient(float *restrict scores, float *restrict gradient,
                                        ptrdiff_t rows, int width, float scale,
                                        const float *restrict log_sum_exp,
                                        const float *restrict delta) {
  for (ptrdiff_t i = 0; i < rows; i++) {
    const float shift = log_sum_exp[i], offset = delta[i];
    for (int j = 0; j < width; j++) {
      const float p = exponential_to_one(scale * scores[i * width + j] - shift);
      scores[i * width + j] = p;
      gradient[i * width + j] = p * (gradient[i * width + j] - offset) * scale;
    }
  }
}

KRAIT_CLONES void krait_row_softmax_gradient(float *scores, float *gradient, ptrdiff_t rows,
                                             int width, float scale, const float *log_sum_exp,
                                             const float *delta) {
#define CALL(n) row_softmax_gradient(scores, gradient, rows, n, scale, log_sum_exp, delta)
  EACH_WIDTH(CALL)
#undef CALL
}
