// What both directions of attention do with panels, and the softmax on them.
//
// A panel of scores is [rows, tile_n]: the layout in which the register tiles of a product come
// out and in which the next product wants its right factor. So nothing is copied in between.
#ifndef KRAIT_ATTENTION_PANELS_H
#define KRAIT_ATTENTION_PANELS_H

#include "attention_kernels.h"
#include "gemm_family.h"

// Panels [k, panel_width] of `lines` rows of a matrix: k runs along a row.
void krait_panels_of_rows(const krait_gemm_family *family, krait_head_rows rows, ptrdiff_t lines,
                          ptrdiff_t k, int panel_width, float *panels);
// Panels [k, tile_m] or, for a right factor, [k, tile_n] of `lines` columns: k runs over the rows.
void krait_panels_of_columns(const krait_gemm_family *family, int right, krait_head_rows rows,
                             ptrdiff_t lines, ptrdiff_t k, float *panels);

// sums[lines, tile_n] = left * right over rows [first, end) of both, where left is panels_of_columns
// of `packed` rows and right a panel. Lines past the last are rounded up to a register tile.
void krait_sum_over_rows(const krait_gemm_family *family, ptrdiff_t lines, ptrdiff_t packed,
                         ptrdiff_t first, ptrdiff_t end, const float *left,
                         const float *right, float *sums, float *tile);
// target[i, line] = or += sums[line, i] for i < count.
void krait_store_transposed(const krait_gemm_family *family, ptrdiff_t lines, int count,
                            const float *sums, krait_head_rows target, int add, float *turned);

// Columns of a panel: maximum[j] over the rows; values[i, j] = exp(scale * (value - maximum[j]))
// and sum[j].
void krait_column_softmax(float *values, ptrdiff_t rows, int width, float scale, float *maximum,
                          float *sum);
// values[i, j] *= factors[j].
void krait_scale_columns(float *values, ptrdiff_t rows, int width, const float *factors);
// Rows of two panels: scores becomes P = exp(scale * score - log_sum_exp[i]), gradient (dP in)
// becomes dS = P * (dP - delta[i]) * scale.
void krait_row_softmax_gradient(float *scores, float *gradient, ptrdiff_t rows, int width,
                                float scale, const float *log_sum_exp, const float *delta);

// Asks for rows [first, end) below `count` before they are needed.
static inline void krait_prefetch_rows(krait_head_rows rows, ptrdiff_t first, ptrdiff_t end,
                                       ptrdiff_t count, ptrdiff_t width) {
  for (ptrdiff_t row = first; row < end && row < count; row++) {
    for (ptrdiff_t p = 0; p < width; p += 16) {
      __builtin_prefetch(rows.base + row * rows.stride + p);
    }
  }
}

// The next stretch of a workspace, on a cache line and with the slack that packing needs.
static inline float *krait_take(uintptr_t *cursor, ptrdiff_t floats) {
  const uintptr_t start = (*cursor + 63) / 64 * 64;
  *cursor = start + (uintptr_t)(floats + KRAIT_PACK_SLACK) * sizeof(float);
  return (float *)start;
}

static inline ptrdiff_t krait_round_up(ptrdiff_t count, ptrdiff_t step) {
  return (count + step - 1) / step * step;
}

#endif
