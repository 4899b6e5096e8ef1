// Blocks of tile_n keys against all queries that see them. Scores are [queries, tile_n keys]: as
// they lie, the right factors of dV^T = dO^T P and dK^T = Q^T dS, each summed in one go; a tile of
// dS is also a left factor, of dQ = dS K, whose tiles stay in memory until all keys have added.
#include <string.h>

#include "attention_panels.h"

enum { ROWS = 1, COLUMNS = 0 };

typedef struct {
  // Left factors of all queries: [width, tile_m] panels of rows, [queries, tile_m] of columns.
  float *query[2], *output[2];
  // Right factors of one block of keys.
  float *key_rows, *value_rows, *key_columns;
  float *scores, *slope;  // [queries, tile_n]
  float *query_gradient;  // tiles: [queries / tile_m, width / tile_n, tile_m, tile_n]
  float *sums, *log_sum_exp, *delta;
} backward_memory;

// Returns the bytes that this takes of a workspace on a cache line.
static size_t lay_out(const krait_gemm_family *family, ptrdiff_t queries, ptrdiff_t width,
                      void *workspace, backward_memory *memory) {
  const int tile_m = family->tile_m, tile_n = family->tile_n;
  const ptrdiff_t lines = krait_round_up(queries, tile_m);
  const ptrdiff_t columns = krait_round_up(width, tile_m);
  uintptr_t cursor = (uintptr_t)workspace;
  memory->query[ROWS] = krait_take(&cursor, lines * width);
  memory->output[ROWS] = krait_take(&cursor, lines * width);
  memory->query[COLUMNS] = krait_take(&cursor, queries * columns);
  memory->output[COLUMNS] = krait_take(&cursor, queries * columns);
  memory->key_rows = krait_take(&cursor, width * tile_n);
  memory->value_rows = krait_take(&cursor, width * tile_n);
  memory->key_columns = krait_take(&cursor, tile_n * krait_round_up(width, tile_n));
  memory->scores = krait_take(&cursor, lines * tile_n);
  memory->slope = krait_take(&cursor, lines * tile_n);
  memory->query_gradient = krait_take(&cursor, lines * krait_round_up(width, tile_n));
  memory->sums = krait_take(&cursor, columns * tile_n);
  memory->log_sum_exp = krait_take(&cursor, queries);
  memory->delta = krait_take(&cursor, queries);
  return cursor - (uintptr_t)workspace;
}

size_t krait_attention_workspace(krait_family which, ptrdiff_t keys, ptrdiff_t width) {
  // The backward pass over as many queries as there are keys holds twice what the forward does.
  backward_memory memory;
  return lay_out(krait_family_kernels(which), keys, width, 0, &memory) + 64;
}

static krait_head_rows from_row(krait_head_rows rows, ptrdiff_t first) {
  rows.base += first * rows.stride;
  return rows;
}

// Tiles of dQ += dS K over one block of `count` keys, from the tile of query `first` on.
static void add_query_gradient(const krait_gemm_family *family, const krait_attention_head *head,
                               const backward_memory *memory, ptrdiff_t first, int count) {
  const int tile_m = family->tile_m, tile_n = family->tile_n;
  const ptrdiff_t columns = krait_round_up(head->width, tile_n);
  for (ptrdiff_t row = first; row < head->queries; row += tile_m) {
    for (ptrdiff_t column = 0; column < columns; column += tile_n) {
      family->product_of_tile(count, memory->slope + row * tile_n,
                              memory->key_columns + column * count,
                              memory->query_gradient + row * columns + column * tile_m);
    }
  }
}

static void store_query_gradient(const krait_gemm_family *family, const krait_attention_head *head,
                                 const backward_memory *memory, krait_head_rows target) {
  const int tile_m = family->tile_m, tile_n = family->tile_n;
  const ptrdiff_t columns = krait_round_up(head->width, tile_n);
  for (ptrdiff_t row = 0; row < head->queries; row += tile_m) {
    const int lines = (int)(head->queries - row < tile_m ? head->queries - row : tile_m);
    for (ptrdiff_t column = 0; column < head->width; column += tile_n) {
      const ptrdiff_t left = head->width - column;
      float *rows[16];
      for (int i = 0; i < lines; i++) rows[i] = from_row(target, row + i).base + column;
      family->store(lines, (int)(left < tile_n ? left : tile_n),
                    memory->query_gradient + row * columns + column * tile_m, tile_n, rows, 0, 1,
                    0, 0);
    }
  }
}

void krait_attention_backward(krait_family which, const krait_attention_head *head,
                              const krait_attention_gradients *gradients, int accumulate,
                              void *workspace) {
  const krait_gemm_family *family = krait_family_kernels(which);
  const int tile_m = family->tile_m, tile_n = family->tile_n;
  const ptrdiff_t queries = head->queries, keys = head->keys, width = head->width;
  const ptrdiff_t before = keys - queries;
  float tile[KRAIT_MAX_TILE + KRAIT_PACK_SLACK];
  backward_memory memory;
  lay_out(family, queries, width, workspace, &memory);

  krait_panels_of_rows(family, head->query, queries, width, tile_m, memory.query[ROWS]);
  krait_panels_of_rows(family, gradients->output, queries, width, tile_m, memory.output[ROWS]);
  krait_panels_of_columns(family, 0, head->query, width, queries, memory.query[COLUMNS]);
  krait_panels_of_columns(family, 0, gradients->output, width, queries, memory.output[COLUMNS]);
  memset(memory.query_gradient, 0,
         (size_t)(krait_round_up(queries, tile_m) * krait_round_up(width, tile_n)) * sizeof(float));
  for (ptrdiff_t i = 0; i < queries; i++) {
    memory.log_sum_exp[i] = head->log_sum_exp.base[i * head->log_sum_exp.stride];
    memory.delta[i] = krait_dot(from_row(head->output, i).base,
                                from_row(gradients->output, i).base, width);
  }
  for (ptrdiff_t key = 0; key < keys; key += tile_n) {
    const int count = (int)(keys - key < tile_n ? keys - key : tile_n);
    // The tile with the first query that sees one of these keys.
    const ptrdiff_t first = (key > before ? key - before : 0) / tile_m * tile_m;
    krait_panels_of_rows(family, from_row(head->key, key), count, width, tile_n, memory.key_rows);
    krait_panels_of_rows(family, from_row(head->value, key), count, width, tile_n,
                         memory.value_rows);
    krait_panels_of_columns(family, 1, from_row(head->key, key), width, count,
                            memory.key_columns);
    krait_prefetch_rows(head->key, key + tile_n, key + 2 * tile_n, keys, width);
    krait_prefetch_rows(head->value, key + tile_n, key + 2 * tile_n, keys, width);
    krait_prefetch_rows(gradients->key, key, key + tile_n, keys, width);
    krait_prefetch_rows(gradients->value, key, key + tile_n, keys, width);
    for (ptrdiff_t row = first; row < queries; row += tile_m) {
      family->product(width, memory.query[ROWS] + row * width, memory.key_rows,
                      memory.scores + row * tile_n);
      family->product(width, memory.output[ROWS] + row * width, memory.value_rows,
                      memory.slope + row * tile_n);
    }
    krait_row_softmax_gradient(memory.scores + first * tile_n, memory.slope + first * tile_n,
                               queries - first, tile_n, head->scale, memory.log_sum_exp + first,
                               memory.delta + first);
    for (ptrdiff_t row = first; row < queries && before + row + 1 - key < tile_n; row++) {
      const ptrdiff_t seen = before + row + 1 > key ? before + row + 1 - key : 0;
      const size_t hidden = (size_t)(tile_n - seen) * sizeof(float);
      memset(memory.scores + row * tile_n + seen, 0, hidden);
      memset(memory.slope + row * tile_n + seen, 0, hidden);
    }
    krait_sum_over_rows(family, width, queries, first, queries, memory.output[COLUMNS],
                        memory.scores, memory.sums, tile);
    krait_store_transposed(family, width, count, memory.sums, from_row(gradients->value, key),
                           accumulate, tile);
    krait_sum_over_rows(family, width, queries, first, queries, memory.query[COLUMNS],
                        memory.slope, memory.sums, tile);
    krait_store_transposed(family, width, count, memory.sums, from_row(gradients->key, key),
                           accumulate, tile);
    add_query_gradient(family, head, &memory, first, count);
  }
  store_query_gradient(family, head, &memory, gradients->query);
}
