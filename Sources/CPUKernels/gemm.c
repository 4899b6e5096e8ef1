// The blocked product: pack a block of B, then blocks of A, then register tiles of C.
//
// Structure after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication",
// ACM TOMS 2008. What is different here: rows are read and written through index lists.
#include "cpu_kernels.h"
#include "gemm_family.h"

#include <string.h>

const krait_gemm_family *krait_family_kernels(krait_family family) {
  if (family == KRAIT_FAMILY_BEST) family = krait_best_family();
#if defined(__x86_64__)
  if (family == KRAIT_FAMILY_AVX512) return &krait_gemm_avx512;
  if (family == KRAIT_FAMILY_AVX2) return &krait_gemm_avx2;
#endif
  return &krait_gemm_portable;
}

int krait_family_available(krait_family family) {
  switch (family) {
    case KRAIT_FAMILY_BEST:
    case KRAIT_FAMILY_PORTABLE:
      return 1;
#if defined(__x86_64__)
    case KRAIT_FAMILY_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case KRAIT_FAMILY_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    default:
      return 0;
  }
}

krait_family krait_best_family(void) {
  static int best = 0;  // A race writes the same value twice.
  int known = __atomic_load_n(&best, __ATOMIC_RELAXED);
  if (known == 0) {
    known = krait_family_available(KRAIT_FAMILY_AVX512) ? KRAIT_FAMILY_AVX512
            : krait_family_available(KRAIT_FAMILY_AVX2) ? KRAIT_FAMILY_AVX2
                                                        : KRAIT_FAMILY_PORTABLE;
    __atomic_store_n(&best, known, __ATOMIC_RELAXED);
  }
  return (krait_family)known;
}

enum { PACKED_A = KRAIT_BLOCK_M * KRAIT_BLOCK_K + KRAIT_PACK_SLACK };
enum { PACKED_B = KRAIT_BLOCK_N * KRAIT_BLOCK_K + KRAIT_PACK_SLACK };

size_t krait_sgemm_workspace(void) { return (PACKED_A + PACKED_B) * sizeof(float) + 64; }

static inline ptrdiff_t row_of(const int32_t *rows32, const uint16_t *rows16, ptrdiff_t i) {
  return rows32 ? rows32[i] : rows16 ? rows16[i] : i;
}

static inline const float *matrix_row(const krait_matrix *matrix, ptrdiff_t i) {
  return matrix->base + row_of(matrix->rows32, matrix->rows16, i) * matrix->stride;
}

// Packs lines [first, first + lines) by k [k0, k0 + kc) into panels of `width` lines. A line is a
// row of the left factor or a column of the right one; along_k says that storage rows run along k,
// so that lines are contiguous in memory; right names the factor.
static void pack(const krait_gemm_family *family, const krait_matrix *matrix, int along_k,
                 int right, int width, ptrdiff_t first, ptrdiff_t lines, ptrdiff_t k0, ptrdiff_t kc,
                 float *panels) {
  if (along_k) {
    // A few panels at a time: writes stay in the first-level cache, reads take whole lines.
    const float *rows[KRAIT_BLOCK_K];
    for (ptrdiff_t p = 0; p < kc; p++) rows[p] = matrix_row(matrix, k0 + p) + first;
    ptrdiff_t line = 0;
    for (; line + width <= lines; line += width) {
      (right ? family->copy_right : family->copy_left)(kc, rows, line, panels + line * kc);
    }
    if (line < lines) {
      const ptrdiff_t count = lines - line;
      for (ptrdiff_t p = 0; p < kc; p++) {
        float *target = panels + line * kc + p * width;
        for (ptrdiff_t i = 0; i < width; i++) target[i] = i < count ? rows[p][line + i] : 0.0f;
      }
    }
    return;
  }
  for (ptrdiff_t line = 0; line < lines; line += width) {
    const float *rows[32];
    const int count = (int)(lines - line < width ? lines - line : width);
    for (int i = 0; i < count; i++) rows[i] = matrix_row(matrix, first + line + i) + k0;
    family->pack_rows(kc, width, count, rows, panels + line * kc);
  }
}

static void empty_product(ptrdiff_t m, ptrdiff_t n, const krait_output *output, int accumulate) {
  if (accumulate) return;
  for (ptrdiff_t i = 0; i < m; i++) {
    memset(output->base + row_of(output->rows32, output->rows16, i) * output->stride, 0,
           (size_t)n * sizeof(float));
  }
}

void krait_sgemm(krait_family which, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, krait_matrix left,
                 krait_matrix right, krait_output output, float alpha, int accumulate,
                 krait_epilogue epilogue, const float *aux, ptrdiff_t aux_stride,
                 void *workspace) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    empty_product(m, n, &output, accumulate);
    return;
  }
  const krait_gemm_family *family = krait_family_kernels(which);
  const int tile_m = family->tile_m, tile_n = family->tile_n;
  const ptrdiff_t block_m = KRAIT_BLOCK_M / tile_m * tile_m;
  float *packed_b = (float *)(((uintptr_t)workspace + 63) & ~(uintptr_t)63);
  float *packed_a = packed_b + PACKED_B;
  // Equal blocks of k, each a multiple of 8 but the last.
  const ptrdiff_t blocks = (k + KRAIT_BLOCK_K - 1) / KRAIT_BLOCK_K;
  const ptrdiff_t block_k = ((k + blocks - 1) / blocks + 7) / 8 * 8;
  float tile[KRAIT_MAX_TILE];

  for (ptrdiff_t n0 = 0; n0 < n; n0 += KRAIT_BLOCK_N) {
    const ptrdiff_t nc = n - n0 < KRAIT_BLOCK_N ? n - n0 : KRAIT_BLOCK_N;
    for (ptrdiff_t k0 = 0; k0 < k; k0 += block_k) {
      const ptrdiff_t kc = k - k0 < block_k ? k - k0 : block_k;
      const int add = k0 > 0 || accumulate;
      const int finish = k0 + kc >= k ? (int)epilogue : 0;
      pack(family, &right, !right.transposed, 1, tile_n, n0, nc, k0, kc, packed_b);
      for (ptrdiff_t m0 = 0; m0 < m; m0 += block_m) {
        const ptrdiff_t mc = m - m0 < block_m ? m - m0 : block_m;
        pack(family, &left, left.transposed, 0, tile_m, m0, mc, k0, kc, packed_a);
        for (ptrdiff_t j = 0; j < nc; j += tile_n) {
          const int columns = (int)(nc - j < tile_n ? nc - j : tile_n);
          for (ptrdiff_t i = 0; i < mc; i += tile_m) {
            const int count = (int)(mc - i < tile_m ? mc - i : tile_m);
            float *rows[16];
            const float *aux_rows[16];
            for (int r = 0; r < count; r++) {
              const ptrdiff_t row = m0 + i + r;
              rows[r] = output.base +
                        row_of(output.rows32, output.rows16, row) * output.stride + n0 + j;
              __builtin_prefetch(rows[r], 1);
              __builtin_prefetch(rows[r] + columns - 1, 1);
              aux_rows[r] = aux ? aux + row * aux_stride + n0 + j : 0;
            }
            family->product(kc, packed_a + i * kc, packed_b + j * kc, tile);
            family->store(count, columns, tile, tile_n, rows, aux_rows, alpha, add, finish);
          }
        }
      }
    }
  }
}
