// A token's key: its nearest cluster, then its second nearest; ties to the lower index, NaN last. Keys are counted on
// the way, ClusterRow puts clusters in a row by those counts, and StableSort sorts the 16-bit keys to where it says.
// hopper/route_tokens.cu computes scores and keys at once.
//
// Eight lanes per token, each over every eighth cluster, then three exchanges: rows of scores are read in
// whole 32-byte sectors, and there are enough threads to hide the latency.
#include "two_largest.cuh"

// Too many clusters for 16 bits stand in the order of their indices: keys as they are sorted.
KERNEL route(const float* scores, i64 stride, i64 tokens, i64 clusters, u32* keys) {
  begin_kernel();
  const i64 token = thread_index() / 8;
  TwoLargest found;
  if (find_two(scores, stride, tokens, clusters, token, found)) {
    const int steps = found.best - found.second;
    keys[token] = (u32)(found.best * (int)clusters + (steps < 0 ? steps + (int)clusters : steps));
  }
}
KERNEL route_16(const float* scores, i64 stride, i64 tokens, i64 clusters, const int* places, int levels, u16* keys,
                int* counts) {
  begin_kernel();
  const i64 token = thread_index() / 8;
  TwoLargest found;
  if (find_two(scores, stride, tokens, clusters, token, found)) {
    found.note((int)clusters, places, levels, keys + token, counts);
  }
}

// The clusters of four tokens of every block in routed order. Keys of 16 bits are those of tokens, others are sorted.
DEV i64 mark_position(i64 mark, i64 tokens, i64 block) {
  const i64 position = mark / 4 * block + (2 * (mark % 4) + 1) * block / 8;
  return position < tokens ? position : tokens - 1;
}
KERNEL mark_16(const u16* keys, const int* order, i64 tokens, i64 clusters, i64 block, i64 marks, int* found) {
  begin_kernel();
  const i64 mark = thread_index();
  if (mark < marks) found[mark] = keys[order[mark_position(mark, tokens, block)]] / (int)clusters;
}
KERNEL mark_sorted(const u32* keys, const int*, i64 tokens, i64 clusters, i64 block, i64 marks, int* found) {
  begin_kernel();
  const i64 mark = thread_index();
  if (mark < marks) found[mark] = (int)(keys[mark_position(mark, tokens, block)] / (u32)clusters);
}
// Keys begin with the places of clusters, 256 at most.
KERNEL __launch_bounds__(256) mark_placed(const u16* keys, const int* order, i64 tokens, i64 clusters, i64 block,
                                          i64 marks, int* found, const int* places, int levels) {
  begin_kernel();
  __shared__ int at[256];
  if (threadIdx.x < clusters) at[places[threadIdx.x]] = threadIdx.x;
  __syncthreads();
  const i64 mark = thread_index();
  if (mark < marks) found[mark] = at[keys[order[mark_position(mark, tokens, block)]] / levels];
}
