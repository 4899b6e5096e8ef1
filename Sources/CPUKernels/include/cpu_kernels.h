// Single-threaded float32 matrix products with indexed operands, for the CPU backend.
//
// The sparse feed-forward products read rows of X and W through index lists. A blocked product
// copies ("packs") its operands anyway, so reading through a list costs nothing here, where a
// library would need an explicit gather first.
#ifndef KRAIT_CPU_KERNELS_H
#define KRAIT_CPU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "elementwise.h"

#ifdef __cplusplus
extern "C" {
#endif

// A factor: storage rows of `stride` floats, columns contiguous. Logical row i is storage row
// rows32[i] or rows16[i] where a list is given, else i.
// Left factor, [M, K]:  transposed 0: rows run along M; 1: rows run along K.
// Right factor, [K, N]: transposed 0: rows run along K; 1: rows run along N.
typedef struct {
  const float *base;
  ptrdiff_t stride;
  const int32_t *rows32;
  const uint16_t *rows16;
  int transposed;
} krait_matrix;

// The result, [M, N]: logical row i is written to storage row rows32[i] or rows16[i] or i.
// A list must not name a row twice.
typedef struct {
  float *base;
  ptrdiff_t stride;
  const int32_t *rows32;
  const uint16_t *rows16;
} krait_output;

typedef enum {
  KRAIT_EPILOGUE_NONE = 0,
  KRAIT_EPILOGUE_SQUARED_RELU = 1,    // max(x, 0)^2, a zero is +0
  KRAIT_EPILOGUE_TIMES_TWO_SQRT = 2,  // x * 2 * sqrt(aux[m, n])
} krait_epilogue;

// Which instructions a product uses. AVX2 and AVX-512 give the same bits.
typedef enum {
  KRAIT_FAMILY_BEST = 0,
  KRAIT_FAMILY_PORTABLE = 1,
  KRAIT_FAMILY_AVX2 = 2,
  KRAIT_FAMILY_AVX512 = 3,
} krait_family;

// The best family of this machine.
krait_family krait_best_family(void);
// Whether this machine can run a family.
int krait_family_available(krait_family family);

// Cores that this process may run on.
int krait_available_cores(void);

// Bytes of scratch memory that krait_sgemm needs, 64-byte aligned.
size_t krait_sgemm_workspace(void);

// output = epilogue(alpha * left * right), or += without an epilogue when `accumulate`.
// Every element is a chain of multiply-adds over k in ascending order within blocks of k whose
// size depends on k alone: its bits depend neither on M and N nor on where it lies.
// aux: [M, N], rows of aux_stride floats, read by KRAIT_EPILOGUE_TIMES_TWO_SQRT.
void krait_sgemm(krait_family family, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, krait_matrix left,
                 krait_matrix right, krait_output output, float alpha, int accumulate,
                 krait_epilogue epilogue, const float *aux, ptrdiff_t aux_stride,
                 void *workspace);

#ifdef __cplusplus
}
#endif

#endif
