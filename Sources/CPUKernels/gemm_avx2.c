// AVX2 with FMA: a register tile of 6 x 16, twelve sums, two vectors of B, one broadcast.
#if defined(__x86_64__)
#include "gemm_family.h"

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))

enum { TILE_M = 6, TILE_N = 16 };

AVX2 static void product(ptrdiff_t k, const float *a, const float *b, float *tile) {
  __m256 c00 = _mm256_setzero_ps(), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  __m256 c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  for (ptrdiff_t p = 0; p < k; p++) {
    const __m256 b0 = _mm256_load_ps(b);
    const __m256 b1 = _mm256_load_ps(b + 8);
    __m256 f = _mm256_broadcast_ss(a);
    c00 = _mm256_fmadd_ps(f, b0, c00);
    c01 = _mm256_fmadd_ps(f, b1, c01);
    f = _mm256_broadcast_ss(a + 1);
    c10 = _mm256_fmadd_ps(f, b0, c10);
    c11 = _mm256_fmadd_ps(f, b1, c11);
    f = _mm256_broadcast_ss(a + 2);
    c20 = _mm256_fmadd_ps(f, b0, c20);
    c21 = _mm256_fmadd_ps(f, b1, c21);
    f = _mm256_broadcast_ss(a + 3);
    c30 = _mm256_fmadd_ps(f, b0, c30);
    c31 = _mm256_fmadd_ps(f, b1, c31);
    f = _mm256_broadcast_ss(a + 4);
    c40 = _mm256_fmadd_ps(f, b0, c40);
    c41 = _mm256_fmadd_ps(f, b1, c41);
    f = _mm256_broadcast_ss(a + 5);
    c50 = _mm256_fmadd_ps(f, b0, c50);
    c51 = _mm256_fmadd_ps(f, b1, c51);
    a += TILE_M;
    b += TILE_N;
  }
  _mm256_storeu_ps(tile, c00);
  _mm256_storeu_ps(tile + 8, c01);
  _mm256_storeu_ps(tile + 16, c10);
  _mm256_storeu_ps(tile + 24, c11);
  _mm256_storeu_ps(tile + 32, c20);
  _mm256_storeu_ps(tile + 40, c21);
  _mm256_storeu_ps(tile + 48, c30);
  _mm256_storeu_ps(tile + 56, c31);
  _mm256_storeu_ps(tile + 64, c40);
  _mm256_storeu_ps(tile + 72, c41);
  _mm256_storeu_ps(tile + 80, c50);
  _mm256_storeu_ps(tile + 88, c51);
}

// Three rows at a time: their six sums hide the latency of the multiply-adds.
AVX2 static void product_of_tile(ptrdiff_t k, const float *a, const float *b, float *tile) {
  for (int i = 0; i < TILE_M; i += 3) {
    const float *x = a + i * TILE_N;
    float *out = tile + i * TILE_N;
    __m256 c00 = _mm256_loadu_ps(out), c01 = _mm256_loadu_ps(out + 8);
    __m256 c10 = _mm256_loadu_ps(out + 16), c11 = _mm256_loadu_ps(out + 24);
    __m256 c20 = _mm256_loadu_ps(out + 32), c21 = _mm256_loadu_ps(out + 40);
    for (ptrdiff_t p = 0; p < k; p++) {
      const __m256 b0 = _mm256_loadu_ps(b + p * TILE_N);
      const __m256 b1 = _mm256_loadu_ps(b + p * TILE_N + 8);
      __m256 f = _mm256_broadcast_ss(x + p);
      c00 = _mm256_fmadd_ps(f, b0, c00);
      c01 = _mm256_fmadd_ps(f, b1, c01);
      f = _mm256_broadcast_ss(x + TILE_N + p);
      c10 = _mm256_fmadd_ps(f, b0, c10);
      c11 = _mm256_fmadd_ps(f, b1, c11);
      f = _mm256_broadcast_ss(x + 2 * TILE_N + p);
      c20 = _mm256_fmadd_ps(f, b0, c20);
      c21 = _mm256_fmadd_ps(f, b1, c21);
    }
    _mm256_storeu_ps(out, c00);
    _mm256_storeu_ps(out + 8, c01);
    _mm256_storeu_ps(out + 16, c10);
    _mm256_storeu_ps(out + 24, c11);
    _mm256_storeu_ps(out + 32, c20);
    _mm256_storeu_ps(out + 40, c21);
  }
}

// Eight rows of eight values, transposed in registers.
AVX2 static inline void transpose8(const float *const *rows, int count, ptrdiff_t p,
                                   __m256 *out) {
  __m256 r[8];
  for (int i = 0; i < 8; i++) {
    r[i] = i < count ? _mm256_loadu_ps(rows[i] + p) : _mm256_setzero_ps();
  }
  const __m256 t0 = _mm256_unpacklo_ps(r[0], r[1]), t1 = _mm256_unpackhi_ps(r[0], r[1]);
  const __m256 t2 = _mm256_unpacklo_ps(r[2], r[3]), t3 = _mm256_unpackhi_ps(r[2], r[3]);
  const __m256 t4 = _mm256_unpacklo_ps(r[4], r[5]), t5 = _mm256_unpackhi_ps(r[4], r[5]);
  const __m256 t6 = _mm256_unpacklo_ps(r[6], r[7]), t7 = _mm256_unpackhi_ps(r[6], r[7]);
  const __m256 u0 = _mm256_shuffle_ps(t0, t2, 0x44), u1 = _mm256_shuffle_ps(t0, t2, 0xEE);
  const __m256 u2 = _mm256_shuffle_ps(t1, t3, 0x44), u3 = _mm256_shuffle_ps(t1, t3, 0xEE);
  const __m256 u4 = _mm256_shuffle_ps(t4, t6, 0x44), u5 = _mm256_shuffle_ps(t4, t6, 0xEE);
  const __m256 u6 = _mm256_shuffle_ps(t5, t7, 0x44), u7 = _mm256_shuffle_ps(t5, t7, 0xEE);
  out[0] = _mm256_permute2f128_ps(u0, u4, 0x20);
  out[1] = _mm256_permute2f128_ps(u1, u5, 0x20);
  out[2] = _mm256_permute2f128_ps(u2, u6, 0x20);
  out[3] = _mm256_permute2f128_ps(u3, u7, 0x20);
  out[4] = _mm256_permute2f128_ps(u0, u4, 0x31);
  out[5] = _mm256_permute2f128_ps(u1, u5, 0x31);
  out[6] = _mm256_permute2f128_ps(u2, u6, 0x31);
  out[7] = _mm256_permute2f128_ps(u3, u7, 0x31);
}

// Stores go in ascending address: what a vector of eight writes past a panel row of fewer is
// overwritten by the next store, and past the panel lies slack.
AVX2 static void pack_rows(ptrdiff_t k, int width, int count, const float *const *rows,
                           float *panel) {
  const int groups = (width + 7) / 8;
  ptrdiff_t p = 0;
  for (; p + 8 <= k; p += 8) {
    __m256 columns[4][8];
    for (int g = 0; g < groups; g++) {
      const int left = count - 8 * g;
      transpose8(rows + 8 * g, left < 0 ? 0 : left, p, columns[g]);
    }
    for (int q = 0; q < 8; q++) {
      for (int g = 0; g < groups; g++) {
        _mm256_storeu_ps(panel + (p + q) * width + 8 * g, columns[g][q]);
      }
    }
  }
  for (; p < k; p++) {
    for (int i = 0; i < width; i++) panel[p * width + i] = i < count ? rows[i][p] : 0.0f;
  }
}

#define WIDTH TILE_M
AVX2 static void copy_left(ptrdiff_t k, const float *const *rows, ptrdiff_t first, float *panel)
#include "gemm_copy.inc"
#undef WIDTH

#define WIDTH TILE_N
AVX2 static void copy_right(ptrdiff_t k, const float *const *rows, ptrdiff_t first, float *panel)
#include "gemm_copy.inc"
#undef WIDTH

AVX2 static void store(int count, int n, const float *tile, int tile_n, float *const *rows,
                       const float *const *aux, float alpha, int add, int epilogue)
#include "gemm_store.inc"

const krait_gemm_family krait_gemm_avx2 = {
  TILE_M, TILE_N, product, TILE_M, product, product_of_tile, pack_rows, copy_left, copy_right,
  store};

// AVX-512 packs with the same instructions.
void krait_pack_rows_avx2(ptrdiff_t k, int width, int count, const float *const *rows,
                          float *panel);
void krait_pack_rows_avx2(ptrdiff_t k, int width, int count, const float *const *rows,
                          float *panel) {
  pack_rows(k, width, count, rows, panel);
}
#endif
