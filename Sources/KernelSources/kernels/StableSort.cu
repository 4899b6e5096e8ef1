// A stable sort of 32-bit keys with their positions, eight bits at a time.
//
// A block of 256 threads owns 1024 keys; thread d is the only one that counts and places digit d,
// walking the block's keys in order: stable and reproducible by construction.
// Per pass: count (grid tiles), scan (one block of 1024), scatter (grid tiles).
// Keys of few values (clusters) are sorted at once by counting_sort, below.
#include "reduce.cuh"

constexpr int KEYS = 1024, DIGITS = 256;

KERNEL number(int* order, i64 count) {
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
  __shared__ u16 digits[KEYS];
  load_digits(keys, count, shift, digits);
  int total = 0;
  for (int i = 0; i < KEYS; ++i) total += digits[i] == threadIdx.x;
  counts[(i64)threadIdx.x * gridDim.x + blockIdx.x] = total;
}

// Exclusive sums in place, by one block of 1024 threads.
KERNEL __launch_bounds__(1024) scan(int* counts, i64 count) {
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

// A stable counting sort of all keys at once, by one block of 32 `warps`: for keys below `limit`, few enough
// that shared memory holds a 16-bit counter for every key and warp, and at most 65536 keys. `keys` is changed.
//
// Every warp owns a stretch of the keys. It counts them in order, and so knows each key's rank among the
// stretch's equal ones (within 32 keys, equal ones find each other by a ballot per bit); then every counter becomes
// the place of the warp's first key of that value, and the keys go there.
// T 16384, 48 clusters, H100, keys included: 50 us with match.any, in one walk or two: it takes as long as its 32
// lanes have values.
constexpr int AHEAD = 8;  // loads in flight

// The lanes whose key is this lane's, by the keys' low bits.
DEV u32 equal_lanes(u32 key, int bits) {
  u32 same = 0xffffffffu;
  for (int bit = 0; bit < bits; ++bit) {
    const u32 ones = __ballot_sync(0xffffffffu, key >> bit & 1);
    same &= key >> bit & 1 ? ones : ~ones;
  }
  return same;
}

KERNEL __launch_bounds__(1024) counting_sort(u32* __restrict__ keys, int count, int limit, int* __restrict__ order) {
  extern __shared__ u32 memory[];  // counters[warp][pair of keys]
  __shared__ int scratch[32];
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  const int pairs = (limit + 1) / 2;
  const int bits = 33 - __clz(limit);  // one more than keys have: lanes past the end differ from all
  for (int i = threadIdx.x; i < warps * pairs; i += blockDim.x) memory[i] = 0;
  __syncthreads();
  const int stretch = ((count + warps - 1) / warps + 31) & ~31, start = warp * stretch;
  const int end = min(start + stretch, count);
  u16* own = (u16*)(memory + warp * pairs);
  for (int first = start; first < end; first += 32 * AHEAD) {
    u32 batch[AHEAD];
#pragma unroll
    for (int j = 0; j < AHEAD; ++j) {
      const int i = first + 32 * j + lane;
      batch[j] = i < end ? keys[i] : 0xffffffffu;
    }
#pragma unroll
    for (int j = 0; j < AHEAD; ++j) {
      const int i = first + 32 * j + lane;
      const u32 same = equal_lanes(batch[j], bits);
      const u32 before = i < end ? own[batch[j]] : 0u;
      __syncwarp();
      if (i < end && lane == __ffs(same) - 1) own[batch[j]] = (u16)(before + __popc(same));
      __syncwarp();
      if (i < end) keys[i] = batch[j] << 16 | (before + __popc(same & ((1u << lane) - 1)));
    }
  }
  __syncthreads();
  int carry = 0;
  for (int first = 0; first < pairs; first += blockDim.x) {
    const int pair = first + (int)threadIdx.x;
    int low = 0, high = 0, all;
    if (pair < pairs) {
#pragma unroll 8
      for (int w = 0; w < warps; ++w) {
        const u32 two = memory[w * pairs + pair];
        low += two & 0xffff;
        high += two >> 16;
      }
    }
    u32 to_low = carry + block_scan(low + high, scratch, &all), to_high = to_low + low;
    if (pair < pairs) {
#pragma unroll 8
      for (int w = 0; w < warps; ++w) {
        const u32 two = memory[w * pairs + pair];
        memory[w * pairs + pair] = (to_low & 0xffff) | to_high << 16;
        to_low += two & 0xffff;
        to_high += two >> 16;
      }
    }
    carry += all;
  }
  __syncthreads();
#pragma unroll 8
  for (int i = start + lane; i < end; i += 32) {
    const u32 ranked = keys[i];
    order[own[ranked >> 16] + (ranked & 0xffff)] = i;
  }
}
