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
KERNEL route_16(const float* scores, i64 stride, i64 tokens, i64 clusters, u16* keys, int* counts) {
  begin_kernel();
  const i64 token = thread_index() / 8;
  TwoLargest found;
  if (find_two(scores, stride, tokens, clusters, token, found)) found.note((int)clusters, keys + token, counts);
}
