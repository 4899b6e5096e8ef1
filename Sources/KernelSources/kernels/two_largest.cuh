// The largest two of scored indices; ties to the lower index, NaN last.
#pragma once
#include "element.cuh"

struct TwoLargest {
  int best_key = 0, best = -1, second_key = 0, second = -1;
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

  // Takes over what `LANES` neighbouring lanes of a converged warp found.
  template <int LANES>
  DEV void combine() {
#pragma unroll
    for (int offset = LANES / 2; offset > 0; offset >>= 1) {
      const int other_best_key = __shfl_xor_sync(0xffffffffu, best_key, offset);
      const int other_best = __shfl_xor_sync(0xffffffffu, best, offset);
      const int other_second_key = __shfl_xor_sync(0xffffffffu, second_key, offset);
      const int other_second = __shfl_xor_sync(0xffffffffu, second, offset);
      if (other_best >= 0) add(other_best_key, other_best);
      if (other_second >= 0) add(other_second_key, other_second);
    }
  }

  // Notes the key of a token and counts it: nearest cluster, then second nearest. With places, the place of the
  // nearest, then how far back from it the second nearest stands, in `levels`.
  DEV void note(int clusters, const int* places, int levels, u16* key, int* counts) const {
    int both = best * clusters + (second < 0 ? 0 : second);
    if (places) {
      const int place = places[best];
      int steps = place - places[second < 0 ? 0 : second];
      if (steps < 0) steps += clusters;
      both = place * levels + steps * levels / clusters;
    }
    *key = (u16)both;
    atomicAdd(counts + both, 1);
  }
};

// The two clusters of a token by eight lanes that stand side by side; true for the lane that is to note them.
DEV bool find_two(const float* scores, i64 stride, i64 tokens, i64 clusters, i64 token, TwoLargest& found) {
  const int part = threadIdx.x & 7;
  if (token < tokens) {
    const float* row = scores + token * stride;
    for (int i = part; i < clusters; i += 8) found.add(ordered_key(row[i]), i);
  }
  found.combine<8>();
  return token < tokens && part == 0;
}
