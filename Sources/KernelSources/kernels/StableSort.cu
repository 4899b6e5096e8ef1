// A stable sort of 32-bit keys with their positions, eight bits at a time.
//
// A block of 256 threads owns 1024 keys; thread d is the only one that counts and places digit d,
// walking the block's keys in order: stable and reproducible by construction.
// Per pass: count (grid tiles), scan (one block of 1024), scatter (grid tiles).
// Keys of few values (clusters) are sorted by counting_sort, below.
#include "reduce.cuh"

constexpr int KEYS = 1024, DIGITS = 256;

KERNEL number(int* order, i64 count) {
  begin_kernel();
  for (i64 i = thread_index(); i < count; i += thread_count()) order[i] = (int)i;
}

DEV void load_digits(const u32* keys, i64 count, int shift, u16* digits) {
  const i64 start = (i64)blockIdx.x * KEYS;
  for (int i = threadIdx.x; i < KEYS; i += DIGITS) {
    digits[i] = start + i < count ? (u16)((keys[start + i] >> shift) & (DIGITS - 1)) : (u16)DIGITS;
  }
  __syncthreads();
}

// counts[digit * tiles + tile]
KERNEL __launch_bounds__(256) count_digits(const u32* keys, i64 count, int shift, int* counts) {
  begin_kernel();
  __shared__ u16 digits[KEYS];
  load_digits(keys, count, shift, digits);
  int total = 0;
  for (int i = 0; i < KEYS; ++i) total += digits[i] == threadIdx.x;
  counts[(i64)threadIdx.x * gridDim.x + blockIdx.x] = total;
}

// Exclusive sums in place, by one block of 1024 threads.
KERNEL __launch_bounds__(1024) scan(int* counts, i64 count) {
  begin_kernel();
  __shared__ int shared[32];
  int carry = 0;
  for (i64 start = 0; start < count; start += blockDim.x) {
    const i64 i = start + threadIdx.x;
    const int value = i < count ? counts[i] : 0;
    int total;
    const int before = block_scan(value, shared, &total);
    if (i < count) counts[i] = carry + before;
    carry += total;
  }
}

KERNEL __launch_bounds__(256) scatter(const u32* keys, const int* order, i64 count, int shift, const int* offsets,
                                      u32* sorted_keys, int* sorted_order) {
  begin_kernel();
  __shared__ u16 digits[KEYS];
  load_digits(keys, count, shift, digits);
  const i64 start = (i64)blockIdx.x * KEYS;
  int target = offsets[(i64)threadIdx.x * gridDim.x + blockIdx.x];
  for (int i = 0; i < KEYS; ++i) {
    if (digits[i] != threadIdx.x) continue;
    sorted_keys[target] = keys[start + i];
    sorted_order[target] = order[start + i];
    ++target;
  }
}

// A stable counting sort of 16-bit keys in one launch: the order of their positions, given where those of every key
// value begin. Every block of 1024 threads owns `each` (at most 32) of the key values, from blockIdx.x * each on, and
// reads all keys, so that blocks need not talk to each other:
// - it lists its own ones in shared memory, in order, each warp a stretch;
// - warps own stretches of the list, count each key value there, and then place the positions.
// More keys than the list may have to hold (8192 `vectors`) go in chunks.
//
// T 49152, 48 clusters: 14.5 us on an H200 in a training step, 2026-11-25, when it counted the keys too; 92 us (H100) by
// one block of 32 warps with a counter for every warp and key value. Floor: 128 blocks read 98 KB of keys each from
// L2, 2 to 3 us, and a launch.
constexpr int MAX_VECTORS = 6;  // of 8 keys, for every thread
constexpr int OWN = 32;         // the most key values of a block
constexpr int POSITION_BITS = 27;

// The lanes whose key, of `BITS` bits, is this lane's.
template <int BITS>
DEV u32 equal_lanes(u32 key) {
  u32 same = 0xffffffffu;
#pragma unroll
  for (int bit = 0; bit < BITS; ++bit) {
    const u32 ones = __ballot_sync(0xffffffffu, key >> bit & 1);
    same &= key >> bit & 1 ? ones : ~ones;
  }
  return same;
}

struct SortShared {
  int counts[32][OWN];  // of every warp's stretch of the list; then where it goes on
  int warps[32];        // own keys of a warp's stretch of the chunk
  int next[OWN];        // where the next position of every key value goes
};

// Lists a chunk's own keys, (key - low) << POSITION_BITS | position. Their number.
DEV int list_own(const u16* keys, int count, int start, int vectors, u32 low, u32 each, u32* list, SortShared& shared) {
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int first = start + warp * vectors * 256 + lane * 8;
  uint4 eight[MAX_VECTORS];
#pragma unroll
  for (int j = 0; j < MAX_VECTORS; ++j) {
    const int i = first + j * 256;
    if (j < vectors && i < count) eight[j] = *(const uint4*)(keys + i);
  }
  u32 own[MAX_VECTORS];  // bit e: key e is ours
  int mine = 0;
#pragma unroll
  for (int j = 0; j < MAX_VECTORS; ++j) {
    const int left = count - (first + j * 256);
    own[j] = 0;
    if (j >= vectors || left <= 0) continue;
    const u32 pairs[4] = {eight[j].x, eight[j].y, eight[j].z, eight[j].w};
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      const u32 key = e & 1 ? pairs[e / 2] >> 16 : pairs[e / 2] & 0xffff;
      own[j] |= (u32)(key - low < each) << e;
    }
    own[j] &= left >= 8 ? 0xffu : (1u << left) - 1;
    mine += __popc(own[j]);
  }
  const int of_warp = __reduce_add_sync(0xffffffffu, mine);
  if (lane == 0) shared.warps[warp] = of_warp;
  __syncthreads();
  const int other = shared.warps[lane];
  const int all = __reduce_add_sync(0xffffffffu, other);
  int place = __reduce_add_sync(0xffffffffu, lane < warp ? other : 0);
#pragma unroll
  for (int j = 0; j < MAX_VECTORS; ++j) {
    if (j >= vectors) break;
    int inclusive = __popc(own[j]);
#pragma unroll
    for (int offset = 1; offset < 32; offset <<= 1) {
      const int before = __shfl_up_sync(0xffffffffu, inclusive, offset);
      if (lane >= offset) inclusive += before;
    }
    int to = place + inclusive - __popc(own[j]);
    place += __shfl_sync(0xffffffffu, inclusive, 31);
    for (u32 left = own[j]; left != 0; left &= left - 1) {
      const int e = __ffs(left) - 1;
      const u32 pair = e < 4 ? (e < 2 ? eight[j].x : eight[j].y) : (e < 6 ? eight[j].z : eight[j].w);
      const u32 key = e & 1 ? pair >> 16 : pair & 0xffff;
      list[to++] = (key - low) << POSITION_BITS | (u32)(first + j * 256 + e);
    }
  }
  __syncthreads();
  return all;
}

// Walks a warp's stretch of the list in order: counts its keys, or places their positions.
template <bool PLACE>
DEV void walk(const u32* list, int listed, SortShared& shared, int* order) {
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int stretch = (listed + 1023) / 1024 * 32, start = warp * stretch, end = min(start + stretch, listed);
  int* const counts = shared.counts[warp];
  if (!PLACE) counts[lane] = 0;
  __syncwarp();
  for (int i = start + lane; i - lane < end; i += 32) {
    const u32 entry = i < end ? list[i] : 0u, key = i < end ? entry >> POSITION_BITS : (u32)OWN;
    const u32 same = equal_lanes<6>(key);
    const int before = i < end ? counts[key] : 0;
    __syncwarp();
    if (i < end && lane == __ffs(same) - 1) counts[key] = before + __popc(same);
    if (PLACE && i < end) order[before + __popc(same & ((1u << lane) - 1))] = (int)(entry & ((1u << POSITION_BITS) - 1));
    __syncwarp();
  }
}

KERNEL __launch_bounds__(1024) counting_sort(const u16* __restrict__ keys, int count, int limit, int each, int vectors,
                                             const int* __restrict__ starts, int* __restrict__ order) {
  begin_kernel();
  extern __shared__ u32 list[];
  __shared__ SortShared shared;
  const u32 low = blockIdx.x * each;
  const u32 own = low + threadIdx.x;
  if (threadIdx.x < OWN) shared.next[threadIdx.x] = own < low + each && own < limit ? starts[own] : 0;
  for (int start = 0; start < count; start += 8192 * vectors) {
    const int listed = list_own(keys, count, start, vectors, low, each, list, shared);
    walk<false>(list, listed, shared, order);
    __syncthreads();
    if (threadIdx.x < OWN) {
      int to = shared.next[threadIdx.x];
#pragma unroll
      for (int w = 0; w < 32; ++w) {
        const int here = shared.counts[w][threadIdx.x];
        shared.counts[w][threadIdx.x] = to;
        to += here;
      }
      shared.next[threadIdx.x] = to;
    }
    __syncthreads();
    walk<true>(list, listed, shared, order);
    __syncthreads();
  }
}
