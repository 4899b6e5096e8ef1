// The neurons with the largest block sums, ascending; ties to the lower index.
//
// select_few: a thread per group of at most 64: a value stays when fewer than `keep` are ahead.
// select_4, select_16: a block of 1024 threads per group of at most 4096 or 16384, each thread with as many
// neighbouring keys in registers. A histogram of 2048 bins between the smallest and the largest key (block sums
// spread over them; the bits of a key would not: few exponents, and shared-memory atomics that all hit the same
// bins) leaves the few keys of one bin, of which one warp finds the keep-th largest bit by bit. One scan then gives
// every thread the places of its kept keys.
// select_many: wider groups, a block of 256 threads: radix selection, eight bits at a time, from memory.
//
// 128 blocks of f 16384, H100: 27 us when every bit was a count over all keys (f 3072: 13 us): comparing integers
// runs at half rate, and 1024 threads meet at a barrier for every bit.
#include "reduce.cuh"

KERNEL select_few(const float* sums, i64 stride, i64 rows, i64 groups, int width, int keep, u16* columns,
                  i64 columns_stride) {
  const i64 index = thread_index();
  if (index >= rows * groups) return;
  const i64 row = index / groups, group = index % groups;
  const float* values = sums + row * stride + group * width;
  u16* target = columns + row * columns_stride + group * keep;
  int written = 0;
  for (int i = 0; i < width && written < keep; ++i) {
    const int key = ordered_key(values[i]);
    int ahead = 0;
    for (int j = 0; j < width; ++j) {
      const int other = ordered_key(values[j]);
      ahead += other > key || (other == key && j < i);
    }
    if (ahead < keep) target[written++] = (u16)(group * width + i);
  }
}

// The sum over 1024 threads; one barrier, `shared` alternates between calls.
DEV int count_all(int value, int* shared) {
  value = __reduce_add_sync(0xffffffffu, value);
  if ((threadIdx.x & 31) == 0) shared[threadIdx.x >> 5] = value;
  __syncthreads();
  return __reduce_add_sync(0xffffffffu, shared[threadIdx.x & 31]);
}

constexpr int BINS = 2048;

struct SelectShared {
  int bins[BINS];
  u32 list[BINS];  // the keys of the bin that holds the threshold
  int counts[2][32];
  int scratch[32];
  u32 low, high, threshold;
  int bin, left, listed;
};

// The largest threshold that at least `keep` of the keys reach, the same for all threads. `valid` of a thread's keys
// count, the rest are 0.
template <int ITEMS>
DEV u32 select_threshold(const u32 (&keys)[ITEMS], int valid, int keep, SelectShared& shared) {
  u32 low = 0xffffffffu, high = 0;
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    if (i < valid) low = min(low, keys[i]);
    high = max(high, keys[i]);
  }
  low = __reduce_min_sync(0xffffffffu, low);
  high = __reduce_max_sync(0xffffffffu, high);
  if (threadIdx.x == 0) {
    shared.low = 0xffffffffu;
    shared.high = 0;
    shared.listed = 0;
  }
  for (int i = threadIdx.x; i < BINS; i += 1024) shared.bins[i] = 0;
  __syncthreads();
  if ((threadIdx.x & 31) == 0) {
    atomicMin(&shared.low, low);
    atomicMax(&shared.high, high);
  }
  __syncthreads();
  low = shared.low;
  const u32 range = shared.high - low;
  const int shift = range < BINS ? 0 : 21 - __clz((int)range);  // range >> shift is below 2048
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    if (i < valid) atomicAdd(&shared.bins[(keys[i] - low) >> shift], 1);
  }
  __syncthreads();
  // From the highest bin down, two for every thread: where the running sum reaches `keep`.
  const int upper = BINS - 1 - 2 * (int)threadIdx.x;
  const int first = shared.bins[upper], second = shared.bins[upper - 1];
  int all;
  const int before = block_scan(first + second, shared.scratch, &all);
  if (before < keep && before + first + second >= keep) {
    const bool is_first = before + first >= keep;
    shared.bin = is_first ? upper : upper - 1;
    shared.left = keep - before - (is_first ? 0 : first);
  }
  __syncthreads();
  const u32 bin = (u32)shared.bin;
  const int left = shared.left, held = shared.bins[bin];
  const u32 start = low + (bin << shift);
  if (shift == 0) return start;
  if (held > BINS) {  // a crowd of nearly equal keys
    u32 threshold = start;
    for (int bit = shift - 1; bit >= 0; --bit) {
      const u32 trial = threshold + (1u << bit);
      int mine = 0;
#pragma unroll
      for (int i = 0; i < ITEMS; ++i) mine += keys[i] >= trial && i < valid;
      if (count_all(mine, shared.counts[bit & 1]) >= keep) threshold = trial;
    }
    return threshold;
  }
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    if (i < valid && (keys[i] - low) >> shift == bin) shared.list[atomicAdd(&shared.listed, 1)] = keys[i] - start;
  }
  __syncthreads();
  if (threadIdx.x < 32) {
    u32 threshold = 0;
    for (int bit = shift - 1; bit >= 0; --bit) {
      const u32 trial = threshold | 1u << bit;
      int mine = 0;
      for (int i = threadIdx.x; i < held; i += 32) mine += shared.list[i] >= trial;
      if (__reduce_add_sync(0xffffffffu, mine) >= left) threshold = trial;
    }
    if (threadIdx.x == 0) shared.threshold = start + threshold;
  }
  __syncthreads();
  return shared.threshold;
}

template <int ITEMS>
DEV void select_in_registers(const float* values, u16* target, int first, int width, int keep) {
  __shared__ SelectShared shared;
  const int start = (int)threadIdx.x * ITEMS;
  const int valid = max(0, min(ITEMS, width - start));
  u32 keys[ITEMS];
  if (valid == ITEMS && (u64)values % 16 == 0) {
#pragma unroll
    for (int i = 0; i < ITEMS; i += 4) {
      const float4 four = *(const float4*)(values + start + i);
      keys[i] = (u32)ordered_key(four.x) ^ 0x80000000u;
      keys[i + 1] = (u32)ordered_key(four.y) ^ 0x80000000u;
      keys[i + 2] = (u32)ordered_key(four.z) ^ 0x80000000u;
      keys[i + 3] = (u32)ordered_key(four.w) ^ 0x80000000u;
    }
  } else {
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
      keys[i] = i < valid ? (u32)ordered_key(values[start + i]) ^ 0x80000000u : 0u;
    }
  }
  const u32 threshold = select_threshold<ITEMS>(keys, valid, keep, shared);
  int above = 0, tied = 0;
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    above += keys[i] > threshold;
    tied += keys[i] == threshold && i < valid;
  }
  int all_above, all_tied;
  const int above_before = block_scan(above, shared.scratch, &all_above);
  const int tied_before = block_scan(tied, shared.scratch, &all_tied);
  const int room = keep - all_above;  // for ties
  int place = above_before + min(tied_before, room), ties = tied_before;
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    const bool is_tied = keys[i] == threshold && i < valid;
    if (keys[i] > threshold || (is_tied && ties < room)) target[place++] = (u16)(first + start + i);
    ties += is_tied;
  }
}

#define SELECT(ITEMS)                                                                                           \
  KERNEL __launch_bounds__(1024) select_##ITEMS(const float* sums, i64 stride, i64 groups, int width, int keep, \
                                                u16* columns, i64 columns_stride) {                             \
    const i64 row = blockIdx.x / groups, group = blockIdx.x % groups;                                           \
    select_in_registers<ITEMS>(sums + row * stride + group * width,                                             \
                               columns + row * columns_stride + group * keep, (int)(group * width), width, keep); \
  }

SELECT(4)
SELECT(16)

KERNEL __launch_bounds__(256) select_many(const float* sums, i64 stride, i64 groups, int width, int keep,
                                          u16* columns, i64 columns_stride) {
  __shared__ int counts[256];
  __shared__ int scratch[32];
  __shared__ u32 chosen;
  __shared__ int left;
  const i64 row = blockIdx.x / groups, group = blockIdx.x % groups;
  const float* values = sums + row * stride + group * width;
  u16* target = columns + row * columns_stride + group * keep;
  u32 prefix = 0, known = 0;
  int remaining = keep;  // of those equal to the prefix so far
  for (int shift = 24; shift >= 0; shift -= 8) {
    counts[threadIdx.x] = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < width; i += 256) {
      const u32 key = (u32)ordered_key(values[i]) ^ 0x80000000u;
      if ((key & known) == prefix) atomicAdd(&counts[(key >> shift) & 255], 1);
    }
    __syncthreads();
    // Counts from the largest digit down: the digit where the running sum reaches `remaining`.
    const int digit = 255 - (int)threadIdx.x, mine = counts[digit];
    int total;
    const int before = block_scan(mine, scratch, &total);
    if (before < remaining && before + mine >= remaining) {
      chosen = (u32)digit;
      left = remaining - before;
    }
    __syncthreads();
    prefix |= chosen << shift;
    known |= 255u << shift;
    remaining = left;
    __syncthreads();
  }
  int written = 0, ties = 0;
  for (int start = 0; start < width; start += 256) {
    const int i = start + (int)threadIdx.x;
    const u32 key = i < width ? (u32)ordered_key(values[i]) ^ 0x80000000u : 0u;
    const int tied = i < width && key == prefix;
    int all_tied, all_kept;
    const int ties_before = ties + block_scan(tied, scratch, &all_tied);
    const int kept = i < width && (key > prefix || (tied && ties_before < remaining));
    const int place = written + block_scan(kept, scratch, &all_kept);
    if (kept) target[place] = (u16)(group * width + i);
    written += all_kept;
    ties += all_tied;
  }
}
