// Which neurons every block of tokens keeps: see Compute's PackedPattern.
#pragma once
#include "element.cuh"

struct Pattern {
  const int* order;  // position -> token, or null
  const u16* columns;
  i64 columns_stride;
  i64 block_tokens, tokens, kept;
  DEV i64 token(i64 position) const { return order ? order[position] : position; }
  DEV const u16* list(i64 block) const { return columns + block * columns_stride; }
};
