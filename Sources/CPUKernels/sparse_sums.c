// Sums over blocks of activations.
#include "sparse_kernels.h"

#include "clones.h"

// A constant exponent, so that the loops below are compiled for each.
static inline float raised(float value, int exponent) { return exponent == 2 ? value * value : value; }

// Eight rows at a time, so that the target is loaded and stored once for all of them.
static inline __attribute__((always_inline)) void sum_rows(const float *base, ptrdiff_t stride,
                                                           ptrdiff_t count, ptrdiff_t n, int exponent,
                                                           float *restrict target) {
  for (ptrdiff_t i = 0; i < n; i++) target[i] = 0.0f;
  ptrdiff_t r = 0;
  for (; r + 8 <= count; r += 8) {
    const float *p[8];
    for (int q = 0; q < 8; q++) p[q] = base + (r + q) * stride;
    const float *p0 = p[0], *p1 = p[1], *p2 = p[2], *p3 = p[3];
    const float *p4 = p[4], *p5 = p[5], *p6 = p[6], *p7 = p[7];
    for (ptrdiff_t i = 0; i < n; i++) {
      float sum = target[i] + raised(p0[i], exponent);
      sum += raised(p1[i], exponent);
      sum += raised(p2[i], exponent);
      sum += raised(p3[i], exponent);
      sum += raised(p4[i], exponent);
      sum += raised(p5[i], exponent);
      sum += raised(p6[i], exponent);
      target[i] = sum + raised(p7[i], exponent);
    }
  }
  for (; r < count; r++) {
    const float *row = base + r * stride;
    for (ptrdiff_t i = 0; i < n; i++) target[i] += raised(row[i], exponent);
  }
}

KRAIT_CLONES void krait_sum_rows(const float *base, ptrdiff_t stride, ptrdiff_t count, ptrdiff_t n,
                                 float *restrict target) {
  sum_rows(base, stride, count, n, 1, target);
}

KRAIT_CLONES void krait_sum_squares_of_rows(const float *base, ptrdiff_t stride, ptrdiff_t count,
                                            ptrdiff_t n, float *restrict target) {
  sum_rows(base, stride, count, n, 2, target);
}

// One chain of additions waits four cycles for each; eight rows side by side do not.
void krait_row_sums(const float *const *rows, ptrdiff_t count, ptrdiff_t n, float *sums) {
  ptrdiff_t r = 0;
  for (; r + 8 <= count; r += 8) {
    float sum[8] = {0};
    for (ptrdiff_t i = 0; i < n; i++) {
      for (int q = 0; q < 8; q++) sum[q] += rows[r + q][i];
    }
    for (int q = 0; q < 8; q++) sums[r + q] = sum[q];
  }
  for (; r < count; r++) {
    float sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += rows[r][i];
    sums[r] = sum;
  }
}

// Partial sums that stay in vectors; folded in order at the end.
enum { LANES = 16 };

KRAIT_CLONES void krait_activation_moments(const float *values, ptrdiff_t n, double *moments) {
  double sums[LANES] = {0}, squares[LANES] = {0};
  int32_t above[LANES] = {0};
  double positive = 0;
  while (n > 0) {
    const ptrdiff_t count = n < (1 << 20) ? n : 1 << 20;  // Far from what an int32 counts.
    ptrdiff_t i = 0;
    for (; i + LANES <= count; i += LANES) {
      for (int j = 0; j < LANES; j++) {
        const double value = values[i + j];
        sums[j] += value;
        squares[j] += value * value;
        above[j] += values[i + j] > 0.0f;
      }
    }
    for (int j = 0; i < count; i++, j++) {
      const double value = values[i];
      sums[j] += value;
      squares[j] += value * value;
      above[j] += values[i] > 0.0f;
    }
    for (int j = 0; j < LANES; j++) {
      positive += above[j];
      above[j] = 0;
    }
    values += count;
    n -= count;
  }
  for (int j = 0; j < LANES; j++) {
    moments[0] += sums[j];
    moments[1] += squares[j];
  }
  moments[2] += positive;
}
