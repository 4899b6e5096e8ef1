// The plain family: vectors of four through the compiler, NEON on arm64, SSE2 on x86-64.
#include "gemm_family.h"

#include <string.h>

typedef float vector __attribute__((vector_size(16), aligned(4)));

enum { TILE_M = 8, TILE_N = 8 };

static void product(ptrdiff_t k, const float *a, const float *b, float *tile) {
  // Two passes of four rows each: sixteen registers hold 4 x 8 sums and the factors.
  for (int half = 0; half < TILE_M; half += 4) {
    vector sum[4][2];
    memset(sum, 0, sizeof sum);
    for (ptrdiff_t p = 0; p < k; p++) {
      const float *factors = a + p * TILE_M + half;
      const vector b0 = *(const vector *)(b + p * TILE_N);
      const vector b1 = *(const vector *)(b + p * TILE_N + 4);
      for (int i = 0; i < 4; i++) {
        const vector factor = {factors[i], factors[i], factors[i], factors[i]};
        sum[i][0] += factor * b0;
        sum[i][1] += factor * b1;
      }
    }
    for (int i = 0; i < 4; i++) {
      *(vector *)(tile + (half + i) * TILE_N) = sum[i][0];
      *(vector *)(tile + (half + i) * TILE_N + 4) = sum[i][1];
    }
  }
}

static void product_of_tile(ptrdiff_t k, const float *a, const float *b, float *tile) {
  for (int i = 0; i < TILE_M; i += 4) {
    vector sum[4][2];
    memcpy(sum, tile + i * TILE_N, sizeof sum);
    for (ptrdiff_t p = 0; p < k; p++) {
      const vector b0 = *(const vector *)(b + p * TILE_N);
      const vector b1 = *(const vector *)(b + p * TILE_N + 4);
      for (int r = 0; r < 4; r++) {
        const float x = a[(i + r) * TILE_N + p];
        const vector factor = {x, x, x, x};
        sum[r][0] += factor * b0;
        sum[r][1] += factor * b1;
      }
    }
    memcpy(tile + i * TILE_N, sum, sizeof sum);
  }
}

static void pack_rows(ptrdiff_t k, int width, int count, const float *const *rows,
                      float *panel) {
  for (int i = 0; i < width; i++) {
    if (i < count) {
      const float *row = rows[i];
      for (ptrdiff_t p = 0; p < k; p++) panel[p * width + i] = row[p];
    } else {
      for (ptrdiff_t p = 0; p < k; p++) panel[p * width + i] = 0.0f;
    }
  }
}

#define WIDTH TILE_M
static void copy_left(ptrdiff_t k, const float *const *rows, ptrdiff_t first, float *panel)
#include "gemm_copy.inc"
#undef WIDTH

#define WIDTH TILE_N
static void copy_right(ptrdiff_t k, const float *const *rows, ptrdiff_t first, float *panel)
#include "gemm_copy.inc"
#undef WIDTH

static void store(int count, int n, const float *tile, int tile_n, float *const *rows,
                  const float *const *aux, float alpha, int add, int epilogue)
#include "gemm_store.inc"

const krait_gemm_family krait_gemm_portable = {
  TILE_M, TILE_N, product, TILE_M, product, product_of_tile, pack_rows, copy_left, copy_right,
  store};
