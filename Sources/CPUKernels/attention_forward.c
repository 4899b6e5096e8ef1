// Scores are computed transposed, [keys, tile_n queries]: the softmax then runs down columns, a
// query in each vector lane, and the panel is the right factor of V^T P^T as it lies.
#include <math.h>

#include "attention_panels.h"

void krait_attention_forward(krait_family which, const krait_attention_head *head,
                             void *workspace) {
  const krait_gemm_family *family = krait_family_kernels(which);
  const int tile_m = family->tile_m, tile_n = family->tile_n;
  const ptrdiff_t keys = head->keys, width = head->width;
  const ptrdiff_t key_lines = krait_round_up(keys, tile_m);
  const ptrdiff_t value_lines = krait_round_up(width, tile_m);
  uintptr_t cursor = (uintptr_t)workspace;
  float *packed_keys = krait_take(&cursor, key_lines * width);
  float *packed_values = krait_take(&cursor, keys * value_lines);
  float *packed_queries = krait_take(&cursor, width * tile_n);
  float *scores = krait_take(&cursor, key_lines * tile_n);
  float *sums = krait_take(&cursor, value_lines * tile_n);
  float tile[KRAIT_MAX_TILE + KRAIT_PACK_SLACK], maximum[32], sum[32], inverse[32];

  krait_panels_of_rows(family, head->key, keys, width, tile_m, packed_keys);
  krait_panels_of_columns(family, 0, head->value, width, keys, packed_values);
  for (ptrdiff_t first = 0; first < head->queries; first += tile_n) {
    const int count = (int)(head->queries - first < tile_n ? head->queries - first : tile_n);
    const ptrdiff_t shared = keys - head->queries + first + 1;  // keys that all of them see
    const ptrdiff_t seen = shared + count - 1;                  // keys that any of them sees
    const krait_head_rows query = {head->query.base + first * head->query.stride,
                                   head->query.stride};
    krait_prefetch_rows(head->query, first + tile_n, first + 2 * tile_n, head->queries, width);
    krait_prefetch_rows(head->output, first, first + tile_n, head->queries, width);
    krait_panels_of_rows(family, query, count, width, tile_n, packed_queries);
    for (ptrdiff_t key = 0; key < seen; key += tile_m) {
      family->product(width, packed_keys + key * width, packed_queries, scores + key * tile_n);
    }
    for (ptrdiff_t key = shared; key < seen; key++) {
      for (ptrdiff_t j = 0; j <= key - shared; j++) scores[key * tile_n + j] = -INFINITY;
    }
    krait_column_softmax(scores, seen, tile_n, head->scale, maximum, sum);
    for (int j = 0; j < tile_n; j++) inverse[j] = 1 / sum[j];
    for (int j = 0; j < count; j++) {
      head->log_sum_exp.base[(first + j) * head->log_sum_exp.stride] = maximum[j] + logf(sum[j]);
    }
    krait_sum_over_rows(family, width, keys, 0, seen, packed_values, scores, sums, tile);
    krait_scale_columns(sums, width, tile_n, inverse);
    const krait_head_rows output = {head->output.base + first * head->output.stride,
                                    head->output.stride};
    krait_store_transposed(family, width, count, sums, output, 0, tile);
  }
}
