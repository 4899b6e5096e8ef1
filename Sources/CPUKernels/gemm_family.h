// What one instruction family brings to the blocked product in gemm.c.
#ifndef KRAIT_GEMM_FAMILY_H
#define KRAIT_GEMM_FAMILY_H

#include <stddef.h>
#include <stdint.h>

#include "cpu_kernels.h"
#include "square_root.h"

enum {
  KRAIT_MAX_TILE = 16 * 32,  // elements of the largest register tile
  KRAIT_BLOCK_K = 256,       // longest k block: a panel of B stays in the first-level cache
  KRAIT_BLOCK_M = 168,       // rows of A packed together: a multiple of 6, 8 and 14
  KRAIT_BLOCK_N = 2048,      // columns of B packed together
  KRAIT_PACK_SLACK = 64,     // floats that packing may write past a panel
};

typedef struct {
  int tile_m;
  int tile_n;
  // tile[tile_m, tile_n] = sum over k of a[k, tile_m] * b[k, tile_n]
  void (*product)(ptrdiff_t k, const float *a, const float *b, float *tile);
  // The first few_m rows of the same tile, for what is left of an odd number of rows.
  int few_m;
  void (*product_few)(ptrdiff_t k, const float *a, const float *b, float *tile);
  // tile[tile_m, tile_n] += sum over k <= tile_n of a[tile_m, k] * b[k, tile_n], a's rows tile_n
  // apart: the left factor is a tile as a product left it.
  void (*product_of_tile)(ptrdiff_t k, const float *a, const float *b, float *tile);
  // panel[k, width] from `count` rows contiguous along k; rows past count become zero.
  void (*pack_rows)(ptrdiff_t k, int width, int count, const float *const *rows, float *panel);
  // A whole panel[k, tile_m] or [k, tile_n] of columns [first, first + width) of k rows.
  void (*copy_left)(ptrdiff_t k, const float *const *rows, ptrdiff_t first, float *panel);
  void (*copy_right)(ptrdiff_t k, const float *const *rows, ptrdiff_t first, float *panel);
  // Writes count rows of n values of a tile: see krait_store in gemm.c.
  void (*store)(int count, int n, const float *tile, int tile_n, float *const *rows,
                const float *const *aux, float alpha, int add, int epilogue);
} krait_gemm_family;

// The functions of a family that is available.
const krait_gemm_family *krait_family_kernels(krait_family family);

extern const krait_gemm_family krait_gemm_portable;
#if defined(__x86_64__)
extern const krait_gemm_family krait_gemm_avx2;
extern const krait_gemm_family krait_gemm_avx512;
#endif

#endif
