// A token's key: its nearest cluster, then its second nearest; ties to the lower index, NaN last. Keys are counted on
// the way, order_clusters puts clusters in a row by those counts, and StableSort sorts the 16-bit keys to where it says.
// hopper/route_tokens.cu computes scores and keys at once.
//
// Eight lanes per token, each over every eighth cluster, then three exchanges: rows of scores are read in
// whole 32-byte sectors, and there are enough threads to hide the latency.
#include "reduce.cuh"
#include "two_largest.cuh"

// The thread that has the clusters of its token.
DEV bool find_two(const float* scores, i64 stride, i64 tokens, i64 clusters, i64 token, TwoLargest& found) {
  const int part = threadIdx.x & 7;
  if (token < tokens) {
    const float* row = scores + token * stride;
    for (int i = part; i < clusters; i += 8) found.add(ordered_key(row[i]), i);
  }
  found.combine<8>();
  return token < tokens && part == 0;
}

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

// From the counts of keys, [C, C], to the places where tokens of every key begin, [C, C]; at most 256 clusters.
//
// The row of RouteTokens.swift takes pairs of ends one after the other. Here every piece of the row finds the best pair
// that leaves it, warps over its ends, and two pieces that find the same pair are joined: no better pair can part
// them, so that the row is the same, after a handful of rounds. A pair's rank is unique: its number of tokens, then the
// lower exclusive or, then the lower cluster. Grid: one block of 1024 threads.
//
// One H200, krait bench ffn --parts, 2026-11-26, 48 clusters: routing took 59 us without counts and the row and takes 102 (T
// 16384, d 4096), 52 and 83 (T 49152, d 768). A weight gradient there takes 783 and 712 us, 95 and 86.
constexpr int MOST = 256, IN_SHARED = 64;

KERNEL __launch_bounds__(1024) order_clusters(const int* __restrict__ counts, int clusters, int* starts) {
  begin_kernel();
  __shared__ int sums[IN_SHARED * IN_SHARED];  // what a pair shares, both ways; of more clusters in `starts`
  __shared__ int piece[MOST], place[MOST], length[MOST], row[MOST], scratch[32];
  __shared__ unsigned long long best[MOST];    // of a piece: tokens, then 65535 less the pair
  const int t = threadIdx.x, lane = t & 31, all = clusters * clusters;
  int* const shares = clusters <= IN_SHARED ? sums : starts;
  for (int i = t; i < all; i += blockDim.x) shares[i] = counts[i] + counts[i % clusters * clusters + i / clusters];
  if (t < clusters) piece[t] = t, place[t] = 0, length[t] = 1, best[t] = 0;
  __syncthreads();
  while (length[piece[0]] < clusters) {
    const auto is_end = [](int i, int home) { return place[i] == 0 || place[i] == length[home] - 1; };
    for (int i = t >> 5; i < clusters; i += (int)blockDim.x >> 5) {
      const int home = piece[i];
      if (!is_end(i, home)) continue;
      int most = -1, pair = 65535;
      for (int j = lane; j < clusters; j += 32) {
        const int other = piece[j], tokens = shares[i * clusters + j];
        const int between = (i ^ j) << 8 | min(i, j);
        const bool is_ahead = tokens > most || (tokens == most && between < pair);
        if (other != home && is_ahead && is_end(j, other)) most = tokens, pair = between;
      }
      const int highest = __reduce_max_sync(0xffffffffu, most);
      pair = __reduce_min_sync(0xffffffffu, most == highest ? pair : 65535);
      if (lane == 0) atomicMax(&best[home], (unsigned long long)(u32)highest << 16 | (u32)(65535 - pair));
    }
    __syncthreads();
    int to_piece = 0, to_place = 0, to_length = 0;
    if (t < clusters) {
      const int home = piece[t], pair = 65535 - (int)(best[home] & 65535), low = pair & 255, high = low ^ pair >> 8;
      const int left = piece[low], right = piece[high];
      to_piece = home, to_place = place[t], to_length = length[home];
      if (best[left] == best[right]) {  // the lower cluster's piece comes first
        const int left_length = length[left];
        if (home == left) {
          if (place[low] != left_length - 1) to_place = left_length - 1 - to_place;
        } else {
          to_place = left_length + (place[high] != 0 ? to_length - 1 - to_place : to_place);
        }
        to_piece = left, to_length = left_length + length[right];
      }
    }
    __syncthreads();
    if (t < clusters) piece[t] = to_piece, place[t] = to_place, length[to_piece] = to_length, best[t] = 0;
    __syncthreads();
  }
  if (t < clusters) row[place[t]] = t;
  __syncthreads();
  const bool backwards = row[0] > row[clusters - 1];
  const auto at = [=](int i) { return row[backwards ? clusters - 1 - i : i]; };
  int carry = 0;
  for (int start = 0; start < all; start += blockDim.x) {
    const int i = start + t, here = i / clusters, steps = i % clusters;
    int key = 0, count = 0;
    if (i < all) {
      key = at(here) * clusters + at(here < steps ? here - steps + clusters : here - steps);
      count = counts[key];
    }
    int total;
    const int before = block_scan(count, scratch, &total);
    if (i < all) starts[key] = carry + before;
    carry += total;
  }
}
