// A token's key: its nearest cluster, then its second nearest. A thread per token; ties to the
// lower index, NaN last. The sort by key is StableSort.
#include "element.cuh"

KERNEL route(const float* scores, i64 stride, i64 tokens, i64 clusters, u32* keys) {
  const i64 token = thread_index();
  if (token >= tokens) return;
  const float* row = scores + token * stride;
  int best = 0, second = -1, best_key = ordered_key(row[0]), second_key = 0;
  for (int i = 1; i < clusters; ++i) {
    const int key = ordered_key(row[i]);
    if (key > best_key) {
      second = best;
      second_key = best_key;
      best = i;
      best_key = key;
    } else if (second < 0 || key > second_key) {
      second = i;
      second_key = key;
    }
  }
  keys[token] = (u32)(best * clusters + (second < 0 ? 0 : second));
}
