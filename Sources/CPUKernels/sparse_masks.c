// Keeps the largest of four: within a row for V:N:M, within a column for its transpose.
#include "sparse_kernels.h"

#include "clones.h"
#include "sparse_keys.h"

// Columns that krait_mask_columns and strips of fours handle at a time.
enum { STRIP = 128 };

// 1 when at least `keep` of the others are ahead: earlier ones when equal, later ones not.
static inline __attribute__((always_inline)) int32_t loses(int32_t ahead, int keep) {
  return ahead >= keep;
}

KRAIT_CLONES void krait_mask_fours(float *values, ptrdiff_t n, int keep) {
  for (ptrdiff_t start = 0; start < n; start += 4 * STRIP) {
    float *strip = values + start;
    const ptrdiff_t groups = (n - start < 4 * STRIP ? n - start : 4 * STRIP) / 4;
    for (ptrdiff_t g = 0; g < groups; g++) {
      float *four = strip + 4 * g;
      const int32_t k0 = krait_key(four[0]), k1 = krait_key(four[1]);
      const int32_t k2 = krait_key(four[2]), k3 = krait_key(four[3]);
      // Each pair is compared once; the earlier one wins a tie.
      const int32_t w01 = k0 >= k1, w02 = k0 >= k2, w03 = k0 >= k3;
      const int32_t w12 = k1 >= k2, w13 = k1 >= k3, w23 = k2 >= k3;
      four[0] = loses(3 - w01 - w02 - w03, keep) ? 0.0f : four[0];
      four[1] = loses(2 + w01 - w12 - w13, keep) ? 0.0f : four[1];
      four[2] = loses(1 + w02 + w12 - w23, keep) ? 0.0f : four[2];
      four[3] = loses(w03 + w13 + w23, keep) ? 0.0f : four[3];
    }
  }
}

static inline __attribute__((always_inline)) void clear_losers(float *row, const int32_t *ahead,
                                                               ptrdiff_t n, int keep) {
  for (ptrdiff_t i = 0; i < n; i++) row[i] = loses(ahead[i], keep) ? 0.0f : row[i];
}

KRAIT_CLONES void krait_mask_columns(float *const *rows, float *const *companions, int count,
                                     ptrdiff_t n, int keep) {
  if (count <= keep) return;
  int32_t keys[4][STRIP], ahead[STRIP];
  for (ptrdiff_t start = 0; start < n; start += STRIP) {
    const ptrdiff_t width = n - start < STRIP ? n - start : STRIP;
    for (int r = 0; r < count; r++) {
      for (ptrdiff_t i = 0; i < width; i++) keys[r][i] = krait_key(rows[r][start + i]);
    }
    for (int r = 0; r < count; r++) {
      for (ptrdiff_t i = 0; i < width; i++) ahead[i] = 0;
      for (int q = 0; q < r; q++) {
        for (ptrdiff_t i = 0; i < width; i++) ahead[i] += keys[q][i] >= keys[r][i];
      }
      for (int q = r + 1; q < count; q++) {
        for (ptrdiff_t i = 0; i < width; i++) ahead[i] += keys[q][i] > keys[r][i];
      }
      clear_losers(rows[r] + start, ahead, width, keep);
      if (companions) clear_losers(companions[r] + start, ahead, width, keep);
    }
  }
}
