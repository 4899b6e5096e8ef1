// A stable sort of 32-bit keys with their positions, eight bits at a time.
//
// A block of 256 threads owns 1024 keys; thread d is the only one that counts and places digit d,
// walking the block's keys in order: stable and reproducible by construction.
// Per pass: count (grid tiles), scan (one block of 1024), scatter (grid tiles).
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
