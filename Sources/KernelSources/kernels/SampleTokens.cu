// Evenly spaced positions of every block; with `shift` 1, those halfway between. A thread per position.
#include "element.cuh"

KERNEL sample(i64 tokens, i64 block_tokens, i64 samples, i64 shift, int* output, i64 count) {
  begin_kernel();
  const i64 index = thread_index();
  if (index >= count) return;
  const i64 per_block = samples < block_tokens ? samples : block_tokens;
  i64 block = index / per_block;
  const i64 whole = tokens / block_tokens;
  if (block > whole) block = whole;  // the short last block, whose own count may be smaller
  const i64 start = block * block_tokens, sample = index - block * per_block;
  const i64 length = tokens - start < block_tokens ? tokens - start : block_tokens;
  const i64 taken = samples < length ? samples : length;
  const i64 position = start + (2 * sample + shift) * length / (2 * taken);
  output[index] = (int)position;
}
