// NVIDIA's matrix products, libcublasLt. Every function but the version returns 0 on success.
#ifndef KRAIT_CUBLASLT_TABLE_H
#define KRAIT_CUBLASLT_TABLE_H

#include "driver_table.h"

typedef struct krait_lt_context *krait_lt_handle;
typedef struct krait_lt_operation *krait_lt_operation;
typedef struct krait_lt_layout *krait_lt_layout;
typedef struct krait_lt_preference *krait_lt_preference;

// cublasLtMatmulAlgo_t: how to compute a product; opaque.
typedef struct {
  uint64_t data[8];
} krait_lt_algorithm;

// cublasLtMatmulHeuristicResult_t.
typedef struct {
  krait_lt_algorithm algorithm;
  size_t workspace_bytes;
  int status;
  float waves;
  int reserved[4];
} krait_lt_candidate;

enum {
  KRAIT_LT_FLOAT32 = 0,
  KRAIT_LT_BFLOAT16 = 14,
  KRAIT_LT_COMPUTE_FLOAT32 = 68,
  KRAIT_LT_TRANSPOSE_LEFT = 3,   // CUBLASLT_MATMUL_DESC_TRANSA
  KRAIT_LT_TRANSPOSE_RIGHT = 4,  // CUBLASLT_MATMUL_DESC_TRANSB
  KRAIT_LT_TRANSPOSED = 1,       // CUBLAS_OP_T
  KRAIT_LT_WORKSPACE_BYTES = 1,
  KRAIT_LT_REDUCTION_SCHEMES = 3,
  KRAIT_LT_ALIGNMENT_A = 5,
  KRAIT_LT_ALIGNMENT_B = 6,
  KRAIT_LT_ALIGNMENT_C = 7,
  KRAIT_LT_ALIGNMENT_D = 8,
  // Reductions in float32 through the workspace; not in the output type, which would round sums
  // before the last addition, and not in place, whose order of additions is left to chance.
  KRAIT_LT_REPRODUCIBLE_REDUCTIONS = 2,
};

#define KRAIT_CUBLASLT_FUNCTIONS(X)                                                                \
  X(version, "cublasLtGetVersion", size_t, (void))                                                 \
  X(status_text, "cublasLtGetStatusString", const char *_Nullable, (int status))                   \
  X(create, "cublasLtCreate", int, (krait_lt_handle _Nullable *_Nonnull handle))                   \
  X(destroy, "cublasLtDestroy", int, (krait_lt_handle _Nonnull handle))                            \
  X(operation_create, "cublasLtMatmulDescCreate", int,                                             \
    (krait_lt_operation _Nullable *_Nonnull operation, int compute_type, int scale_type))          \
  X(operation_destroy, "cublasLtMatmulDescDestroy", int, (krait_lt_operation _Nonnull operation))  \
  X(operation_set, "cublasLtMatmulDescSetAttribute", int,                                          \
    (krait_lt_operation _Nonnull operation, int attribute, const void *_Nonnull value,             \
     size_t bytes))                                                                                \
  X(layout_create, "cublasLtMatrixLayoutCreate", int,                                              \
    (krait_lt_layout _Nullable *_Nonnull layout, int type, uint64_t rows, uint64_t columns,        \
     int64_t leading_dimension))                                                                   \
  X(layout_destroy, "cublasLtMatrixLayoutDestroy", int, (krait_lt_layout _Nonnull layout))         \
  X(preference_create, "cublasLtMatmulPreferenceCreate", int,                                      \
    (krait_lt_preference _Nullable *_Nonnull preference))                                          \
  X(preference_destroy, "cublasLtMatmulPreferenceDestroy", int,                                    \
    (krait_lt_preference _Nonnull preference))                                                     \
  X(preference_set, "cublasLtMatmulPreferenceSetAttribute", int,                                   \
    (krait_lt_preference _Nonnull preference, int attribute, const void *_Nonnull value,           \
     size_t bytes))                                                                                \
  X(candidates, "cublasLtMatmulAlgoGetHeuristic", int,                                             \
    (krait_lt_handle _Nonnull handle, krait_lt_operation _Nonnull operation,                       \
     krait_lt_layout _Nonnull a, krait_lt_layout _Nonnull b, krait_lt_layout _Nonnull c,           \
     krait_lt_layout _Nonnull d, krait_lt_preference _Nonnull preference, int wanted,              \
     krait_lt_candidate *_Nonnull results, int *_Nonnull count))                                   \
  X(multiply, "cublasLtMatmul", int,                                                               \
    (krait_lt_handle _Nonnull handle, krait_lt_operation _Nonnull operation,                       \
     const void *_Nonnull alpha, uint64_t a, krait_lt_layout _Nonnull a_layout, uint64_t b,        \
     krait_lt_layout _Nonnull b_layout, const void *_Nonnull beta, uint64_t c,                     \
     krait_lt_layout _Nonnull c_layout, uint64_t d, krait_lt_layout _Nonnull d_layout,             \
     const krait_lt_algorithm *_Nonnull algorithm, uint64_t workspace, size_t workspace_bytes,     \
     krait_cu_stream _Nullable stream))

typedef struct {
  KRAIT_CUBLASLT_FUNCTIONS(KRAIT_TABLE_FIELD)
} krait_cublaslt;

// As krait_load_driver.
const char *_Nullable krait_load_cublaslt(void *_Nonnull library, krait_cublaslt *_Nonnull table);

#endif
