// AVX-512: a register tile of 14 x 32, twenty-eight sums, two vectors of B, one broadcast.
#if defined(__x86_64__)
#include "gemm_family.h"

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))

enum { TILE_M = 14, TILE_N = 32 };

// One row of the tile: two multiply-adds with its broadcast factor.
#define ROW(i)                                  \
  factor = _mm512_set1_ps(a[i]);                \
  low##i = _mm512_fmadd_ps(factor, b0, low##i); \
  high##i = _mm512_fmadd_ps(factor, b1, high##i);
#define ZERO(i) __m512 low##i = _mm512_setzero_ps(), high##i = _mm512_setzero_ps();
#define WRITE(i)                              \
  _mm512_storeu_ps(tile + i * TILE_N, low##i); \
  _mm512_storeu_ps(tile + i * TILE_N + 16, high##i);
#define ALL(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13)

AVX512 static void product(ptrdiff_t k, const float *a, const float *b, float *tile) {
  ALL(ZERO)
  for (ptrdiff_t p = 0; p < k; p++) {
    const __m512 b0 = _mm512_loadu_ps(b);
    const __m512 b1 = _mm512_loadu_ps(b + 16);
    __m512 factor;
    ALL(ROW)
    a += TILE_M;
    b += TILE_N;
  }
  ALL(WRITE)
}

#define FEW(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)

// Eight rows of a panel of fourteen: what a width of 64 leaves.
AVX512 static void product_few(ptrdiff_t k, const float *a, const float *b, float *tile) {
  FEW(ZERO)
  for (ptrdiff_t p = 0; p < k; p++) {
    const __m512 b0 = _mm512_loadu_ps(b);
    const __m512 b1 = _mm512_loadu_ps(b + 16);
    __m512 factor;
    FEW(ROW)
    a += TILE_M;
    b += TILE_N;
  }
  FEW(WRITE)
}

#define READ(i)                                      \
  __m512 low##i = _mm512_loadu_ps(tile + i * TILE_N), \
         high##i = _mm512_loadu_ps(tile + i * TILE_N + 16);
#define ROW_OF_TILE(i)                          \
  factor = _mm512_set1_ps(a[i * TILE_N]);       \
  low##i = _mm512_fmadd_ps(factor, b0, low##i); \
  high##i = _mm512_fmadd_ps(factor, b1, high##i);

AVX512 static void product_of_tile(ptrdiff_t k, const float *a, const float *b, float *tile) {
  ALL(READ)
  for (ptrdiff_t p = 0; p < k; p++) {
    const __m512 b0 = _mm512_loadu_ps(b);
    const __m512 b1 = _mm512_loadu_ps(b + 16);
    __m512 factor;
    ALL(ROW_OF_TILE)
    a += 1;
    b += TILE_N;
  }
  ALL(WRITE)
}

void krait_pack_rows_avx2(ptrdiff_t k, int width, int count, const float *const *rows,
                          float *panel);

#define WIDTH TILE_M
AVX512 static void copy_left(ptrdiff_t k, const float *const *rows, ptrdiff_t first, float *panel)
#include "gemm_copy.inc"
#undef WIDTH

#define WIDTH TILE_N
AVX512 static void copy_right(ptrdiff_t k, const float *const *rows, ptrdiff_t first, float *panel)
#include "gemm_copy.inc"
#undef WIDTH

AVX512 static void store(int count, int n, const float *tile, int tile_n, float *const *rows,
                         const float *const *aux, float alpha, int add, int epilogue)
#include "gemm_store.inc"

const krait_gemm_family krait_gemm_avx512 = {
  TILE_M, TILE_N, product, 8, product_few, product_of_tile, krait_pack_rows_avx2, copy_left,
  copy_right, store};
#endif
