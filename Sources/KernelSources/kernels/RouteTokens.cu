// A token's key: its nearest cluster, then its second nearest; ties to the lower index, NaN last. The sort by
// key is StableSort, which wants 16 bits where keys fit. hopper/route_tokens.cu computes scores and keys at once.
//
// Eight lanes per token, each over every eighth cluster, then three exchanges: rows of scores are read in
// whole 32-byte sectors, and there are enough threads to hide the latency.
#include "two_largest.cuh"

template <typename KEY>
DEV void find_keys(const float* scores, i64 stride, i64 tokens, i64 clusters, KEY* keys) {
  const i64 token = thread_index() / 8;
  const int part = threadIdx.x & 7;
  TwoLargest found;
  if (token < tokens) {
    const float* row = scores + token * stride;
    for (int i = part; i < clusters; i += 8) found.add(ordered_key(row[i]), i);
  }
  found.combine<8>();
  if (token < tokens && part == 0) keys[token] = (KEY)found.key((int)clusters);
}

KERNEL route(const float* scores, i64 stride, i64 tokens, i64 clusters, u32* keys) {
  find_keys(scores, stride, tokens, clusters, keys);
}
KERNEL route_16(const float* scores, i64 stride, i64 tokens, i64 clusters, u16* keys) {
  find_keys(scores, stride, tokens, clusters, keys);
}
