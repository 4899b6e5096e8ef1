// Causal attention of one head, forward and backward, on one core.
#ifndef KRAIT_ATTENTION_KERNELS_H
#define KRAIT_ATTENTION_KERNELS_H

#include <stddef.h>

#include "cpu_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

// One head's columns of a packed matrix: row i starts at base + i * stride.
typedef struct {
  float *base;
  ptrdiff_t stride;
} krait_head_rows;

// One query head of one sequence. Query i sees keys 0 ... i + keys - queries.
typedef struct {
  ptrdiff_t queries;  // rows of query, output and log_sum_exp
  ptrdiff_t keys;     // rows of key and value, at least `queries`
  ptrdiff_t width;    // columns of query, key, value and output
  float scale;
  krait_head_rows query, key, value;
  krait_head_rows output;
  krait_head_rows log_sum_exp;  // one number each
} krait_attention_head;

// The gradient of the output, and where the others go.
typedef struct {
  krait_head_rows output;
  krait_head_rows query, key, value;
} krait_attention_gradients;

// Bytes of scratch memory that either direction needs.
size_t krait_attention_workspace(krait_family family, ptrdiff_t keys, ptrdiff_t width);

// Writes output = softmax(scale * Q K^T + causal mask) V and the softmax's log sums.
void krait_attention_forward(krait_family family, const krait_attention_head *head,
                             void *workspace);

// Writes the gradient of the query; writes those of key and value or, with `accumulate`, adds to
// them: heads that share a key head are called in turn.
void krait_attention_backward(krait_family family, const krait_attention_head *head,
                              const krait_attention_gradients *gradients, int accumulate,
                              void *workspace);

#ifdef __cplusplus
}
#endif

#endif
