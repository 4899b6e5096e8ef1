// A token's key: its nearest cluster, then its second nearest; ties to the lower index, NaN last. The sort by
// key is StableSort.
//
// Eight lanes per token, each over every eighth cluster, then three exchanges: rows of scores are read in
// whole 32-byte sectors, and there are enough threads to hide the latency.
#include "element.cuh"

struct TwoLargest {
  int best_key, best, second_key, second;
  DEV void add(int key, int index) {
    if (best < 0 || key > best_key || (key == best_key && index < best)) {
      second_key = best_key;
      second = best;
      best_key = key;
      best = index;
    } else if (second < 0 || key > second_key || (key == second_key && index < second)) {
      second_key = key;
      second = index;
    }
  }
};

KERNEL route(const float* scores, i64 stride, i64 tokens, i64 clusters, u32* keys) {
  const i64 token = thread_index() / 8;
  const int part = threadIdx.x & 7;
  TwoLargest found = {0, -1, 0, -1};
  if (token < tokens) {
    const float* row = scores + token * stride;
    for (int i = part; i < clusters; i += 8) found.add(ordered_key(row[i]), i);
  }
#pragma unroll
  for (int offset = 4; offset > 0; offset >>= 1) {
    const int best_key = __shfl_xor_sync(0xffffffffu, found.best_key, offset);
    const int best = __shfl_xor_sync(0xffffffffu, found.best, offset);
    const int second_key = __shfl_xor_sync(0xffffffffu, found.second_key, offset);
    const int second = __shfl_xor_sync(0xffffffffu, found.second, offset);
    if (best >= 0) found.add(best_key, best);
    if (second >= 0) found.add(second_key, second);
  }
  if (token < tokens && part == 0) {
    keys[token] = (u32)(found.best * clusters + (found.second < 0 ? 0 : found.second));
  }
}
