// The inner loops of the sparse operations that choose, mask and count: everything but products.
//
// Values are compared as numbers: -0.0 equals +0.0, and NaN is smaller than everything else, so
// that no input can confuse a sort. Ties always go to the lower index. Integer comparisons and
// sums in a fixed order: every clone of a function (AVX-512, AVX2, baseline) gives the same bits.
#ifndef KRAIT_SPARSE_KERNELS_H
#define KRAIT_SPARSE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The indices of the largest and of the second largest of n >= 1 values; both are 0 when n is 1.
// keys: scratch of n integers.
void krait_two_largest(const float *values, ptrdiff_t n, int32_t *keys, int32_t *best,
                       int32_t *second);

// The indices, ascending, of the `keep` largest of n values, first_index added to each.
// 0 <= keep <= n, and every index must fit 16 bits. scratch: 2 n integers. Linear in n.
void krait_select_largest(const float *values, ptrdiff_t n, ptrdiff_t keep, ptrdiff_t first_index,
                          uint32_t *scratch, uint16_t *output);

// target[i] = the sum over r of row r's element i, r ascending, from +0. Row r is base + r * stride.
void krait_sum_rows(const float *base, ptrdiff_t stride, ptrdiff_t count, ptrdiff_t n,
                    float *target);

// The same of the squares of elements.
void krait_sum_squares_of_rows(const float *base, ptrdiff_t stride, ptrdiff_t count, ptrdiff_t n,
                               float *target);

// sums[r] = the sum of rows[r][0 ..< n], ascending, from +0.
void krait_row_sums(const float *const *rows, ptrdiff_t count, ptrdiff_t n, float *sums);

// Keeps the `keep` (1 to 4) largest of every four consecutive values; the rest become +0.
// n is a multiple of 4.
void krait_mask_fours(float *values, ptrdiff_t n, int keep);

// For each of n columns, keeps the `keep` largest of `count` (1 to 4) rows; the rest become +0, and
// so do the same entries of the companions, where there are any (null: none).
void krait_mask_columns(float *const *rows, float *const *companions, int count, ptrdiff_t n,
                        int keep);

// output = scale * sign(w) * max(|w| - t, 0), t the second smallest |w| of four consecutive
// weights. n is a multiple of 4. output may be the weights.
void krait_soft_threshold(const float *weights, float *output, ptrdiff_t n, float scale);

// Adds <w, S(w)> and <S(w), S(w)> to moments, S being krait_soft_threshold with scale 1.
void krait_soft_threshold_moments(const float *weights, ptrdiff_t n, double *moments);

// Adds the sum of values and of their squares to moments[0] and [1], and the number of values
// above zero to moments[2].
void krait_activation_moments(const float *values, ptrdiff_t n, double *moments);

#ifdef __cplusplus
}
#endif

#endif
