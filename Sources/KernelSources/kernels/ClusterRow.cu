// From the counts of keys, [C, C], to the places where tokens of every key begin, [C, C], or, where those are
// wanted, to the places of the clusters, [C].
//
// The row of RouteTokens.swift takes pairs of ends one after the other. Here every piece of the row finds the best pair
// that leaves it, warps over its ends, and two pieces that find the same pair are joined: no better pair can part
// them, so that the row is the same. A pair's rank is unique: its number of tokens, then the lower exclusive or, then
// the lower cluster. Random counts of 48 clusters take 12 to 19 rounds; where a few clusters share most with all
// others, a round joins one pair, and there are up to 47. So what counts is how long a round takes, and that is a chain
// of latencies.
//
// Grid: one block. Versions, 48 clusters, an H200, 2026-11-26, krait bench step --only columns --kernels, 124m, 49152 tokens, in turns:
// 42 to 54 us, what the events around a launch take included, by order_clusters, which looks up piece, place and length of
// every candidate and has three barriers of 1024 threads a round; 18 us by order_few_clusters. Alone, back to back: random
// counts 25 and 11 us, counts of clusters of very different sizes 83 and 27; with 128 threads 15 and 38, with 512 as with 256.
#include "reduce.cuh"

// Keys lie in the order of their first cluster's place, then of the steps back to the second: what each thread counts
// for its stretch of them, a sum over threads, and where each begins. `counts` has rows of `stride`.
DEV void place_keys(const int* counts, int stride, int clusters, const int* row, int* scratch, int* starts) {
  const int all = clusters * clusters, each = (all + (int)blockDim.x - 1) / (int)blockDim.x;
  const int first = min((int)threadIdx.x * each, all), number = min(each, all - first);
  const auto walk = [=](auto visit) {
    int here = first / clusters, steps = first - here * clusters, from = here - steps;
    if (from < 0) from += clusters;
#pragma unroll 4
    for (int k = 0; k < number; ++k) {
      visit(row[here], row[from]);
      from = from == 0 ? clusters - 1 : from - 1;
      if (++steps == clusters) steps = 0, from = ++here;
    }
  };
  int mine = 0, total;
  walk([&](int nearest, int second) { mine += counts[nearest * stride + second]; });
  int before = block_scan(mine, scratch, &total);
  walk([&](int nearest, int second) {
    starts[nearest * clusters + second] = before;
    before += counts[nearest * stride + second];
  });
}

DEV void tell_places(const int* row, int clusters, int* places) {
  if (threadIdx.x < clusters) places[row[threadIdx.x]] = threadIdx.x;
}

// At most 64 clusters, and fewer than 2^20 tokens: the rank of a pair fits 32 bits, its tokens, then 4095 less its
// exclusive or and its lower cluster; 0 is no pair. Block: 256 threads.
//
// A warp keeps the ranks of eight rows of pairs in registers, a lane those of two columns. Only the ends of pieces matter,
// each with the end at the other side; a lane knows that of its two columns, and all warps know the same. So a round has
// one barrier, between finding the best of every end and joining, which all warps do alike. What stands beside a
// cluster is noted, and the row is followed once it is whole.
constexpr int FEW = 64, FEW_THREADS = 256, FEW_WARPS = FEW_THREADS / 32, ROWS = FEW / FEW_WARPS, STRIDE = FEW + 1;

// What the lanes hold for cluster `i`.
template <typename T>
DEV T of_cluster(const T (&values)[2], int i) {
  const T low = __shfl_sync(0xffffffffu, values[0], i & 31), high = __shfl_sync(0xffffffffu, values[1], i & 31);
  return i < 32 ? low : high;
}

// The row from the two that stand beside every cluster, a byte each, 255 for none. Two ways lead out of each, 2 i and
// 2 i + 1: a thread follows one, twice as far every time, to the end of the row. `ways`: distance << 8 | the way that
// goes on from there.
DEV void follow(const u32* beside, int clusters, u32 (*ways)[2 * FEW], int* row) {
  const int t = threadIdx.x, i = t >> 1;
  if (i < clusters) {
    const u32 next = beside[i] >> 8 * (t & 1) & 255;
    ways[0][t] = next == 255 ? (u32)t : 1u << 8 | (2 * next + ((beside[next] & 255) == i));
  }
  int turn = 0;
  for (int reach = 1; reach < clusters; reach *= 2, turn ^= 1) {
    __syncthreads();
    if (i < clusters) {
      const u32 here = ways[turn][t], there = ways[turn][here & 255];
      ways[turn ^ 1][t] = (here & ~255u) + there;
    }
  }
  __syncthreads();
  if (t < clusters) {  // the end of lower index is the beginning
    const u32 one = ways[turn][2 * t], other = ways[turn][2 * t + 1];
    row[((one & 255) < (other & 255) ? one : other) >> 8] = t;
  }
  __syncthreads();
}

KERNEL __launch_bounds__(FEW_THREADS) order_few_clusters(const int* __restrict__ counts, int clusters, int* starts,
                                                      int* places) {
  begin_kernel();
  __shared__ int counted[FEW * STRIDE];
  __shared__ u32 best[2][FEW], beside[FEW], ways[2][2 * FEW];
  __shared__ int row[FEW], scratch[32];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  asm("" : "+r"(lane), "+r"(warp));  // or every use asks for the thread's index again, tens of cycles
  u32 ranks[ROWS][2];
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const int i = warp + FEW_WARPS * r;
#pragma unroll
    for (int s = 0; s < 2; ++s) {
      const int j = lane + 32 * s;
      ranks[r][s] = i < clusters && j < clusters ? counts[i * clusters + j] : 0;
    }
  }
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
#pragma unroll
    for (int s = 0; s < 2; ++s) counted[(warp + FEW_WARPS * r) * STRIDE + lane + 32 * s] = (int)ranks[r][s];
  }
  __syncthreads();
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const int i = warp + FEW_WARPS * r;
#pragma unroll
    for (int s = 0; s < 2; ++s) {
      const int j = lane + 32 * s;
      const u32 tokens = ranks[r][s] + (u32)counted[j * STRIDE + i], pair = (u32)((i ^ j) << 6 | min(i, j));
      ranks[r][s] = i != j ? tokens << 12 | (4095 - pair) : 0;
    }
  }
  bool is_end[2] = {lane < clusters, lane + 32 < clusters};
  int far[2] = {lane, lane + 32};  // the other end of the piece of which a cluster is one end
  u32 next_to[2] = {0xffff, 0xffff};  // what stands beside it, in its last two bytes
  for (int turn = 0;; turn ^= 1) {
    const u32 ends[2] = {__ballot_sync(0xffffffffu, is_end[0]), __ballot_sync(0xffffffffu, is_end[1])};
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      const int i = warp + FEW_WARPS * r;
      if (!(ends[r * FEW_WARPS / 32] >> (i & 31) & 1)) continue;
      u32 most = 0;
#pragma unroll
      for (int s = 0; s < 2; ++s) most = max(most, is_end[s] && far[s] != i ? ranks[r][s] : 0u);
      most = __reduce_max_sync(0xffffffffu, most);
      if (lane == 0) best[turn][i] = most;
    }
    __syncthreads();
    u32 ours[2];  // the best pair that leaves the piece; 0 where none does or a cluster is no end
#pragma unroll
    for (int s = 0; s < 2; ++s) ours[s] = is_end[s] ? max(best[turn][lane + 32 * s], best[turn][far[s]]) : 0;
    if (!__any_sync(0xffffffffu, (ours[0] | ours[1]) != 0)) break;
    int to_far[2];
#pragma unroll
    for (int s = 0; s < 2; ++s) {
      const int i = lane + 32 * s, pair = 4095 - (int)(ours[s] & 4095), low = pair & 63, high = low ^ pair >> 6;
      const int near = low == i || low == far[s] ? low : high, theirs = near ^ pair >> 6;
      const u32 their_best = of_cluster(ours, theirs);
      const int their_far = of_cluster(far, theirs);
      const bool is_joined = is_end[s] && their_best == ours[s], is_single = far[s] == i;
      if (is_joined && i == near) next_to[s] = next_to[s] << 8 | theirs;
      is_end[s] = is_end[s] && (!is_joined || i != near || is_single);
      to_far[s] = is_joined ? their_far : far[s];
    }
    far[0] = to_far[0], far[1] = to_far[1];
  }
  if (warp == 0) beside[lane] = next_to[0], beside[lane + 32] = next_to[1];
  __syncthreads();
  follow(beside, clusters, ways, row);
  if (places) return tell_places(row, clusters, places);
  place_keys(counted, STRIDE, clusters, row, scratch, starts);
}

// At most 256 clusters, any number of tokens. Block: 1024 threads.
constexpr int MOST = 256, IN_SHARED = 64;

KERNEL __launch_bounds__(1024) order_clusters(const int* __restrict__ counts, int clusters, int* starts, int* places) {
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
  const bool backwards = row[0] > row[clusters - 1];  // the end of lower index is the beginning
  __syncthreads();
  if (t < clusters) row[backwards ? clusters - 1 - place[t] : place[t]] = t;
  __syncthreads();
  if (places) return tell_places(row, clusters, places);
  place_keys(counts, clusters, clusters, row, scratch, starts);
}
