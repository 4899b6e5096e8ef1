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
// that shared memory holds a 16-bit counter for every key and warp, and at most 65536 keys.
//
// Every warp owns a stretch of the keys and walks it twice: counting, then placing. Between the two, each
// counter becomes the number of keys that come before the warp's first one of that value. Within 32 keys,
// equal ones find each other by match and keep their order.
KERNEL __launch_bounds__(1024) counting_sort(const u32* __restrict__ keys, int count, int limit, int* __restrict__ order) {
  extern __shared__ u32 memory[];
  __shared__ int scratch[32];
  u16* counters = (u16*)memory;  // [warp][key]; rows are padded to whole words
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  const int row = (limit + 1) & ~1;
  for (int i = threadIdx.x; i < warps * row / 2; i += blockDim.x) memory[i] = 0;
  __syncthreads();
  const int stretch = ((count + warps - 1) / warps + 31) & ~31, start = warp * stretch;
  const int end = min(start + stretch, count);
  u16* own = counters + warp * row;
  for (int i = start + lane; i - lane < end; i += 32) {
    const u32 key = i < end ? keys[i] : ~0u;
    const u32 same = __match_any_sync(0xffffffffu, key);
    if (i < end && lane == __ffs(same) - 1) own[key] += __popc(same);
    __syncwarp();
  }
  __syncthreads();
  int carry = 0;
  for (int first = 0; first < limit; first += blockDim.x) {
    const int key = first + (int)threadIdx.x;
    int total = 0, all;
    if (key < limit) {
      for (int w = 0; w < warps; ++w) total += counters[w * row + key];
    }
    int before = carry + block_scan(total, scratch, &all);
    if (key < limit) {
      for (int w = 0; w < warps; ++w) {
        const int mine = counters[w * row + key];
        counters[w * row + key] = (u16)before;
        before += mine;
      }
    }
    carry += all;
  }
  __syncthreads();
  for (int i = start + lane; i - lane < end; i += 32) {
    const u32 key = i < end ? keys[i] : ~0u;
    const u32 same = __match_any_sync(0xffffffffu, key);
    if (i < end) order[own[key] + __popc(same & ((1u << lane) - 1))] = i;
    __syncwarp();
    if (i < end && lane == __ffs(same) - 1) own[key] += __popc(same);
    __syncwarp();
  }
}
