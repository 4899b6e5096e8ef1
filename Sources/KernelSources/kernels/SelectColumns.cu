// The neurons with the largest block sums, ascending; ties to the lower index.
//
// select_few: a thread per group of at most 64: a value stays when fewer than `keep` are ahead.
// select_4, select_16: a block of 1024 threads per group of at most 4096 or 16384, each thread with as many
// neighbouring keys in registers. The keep-th largest key is found bit by bit, every bit one count over the
// block, until exactly `keep` keys reach the threshold; there is no histogram, whose bins the few exponents of
// block sums would all hit at once. One scan then gives every thread the places of its kept keys.
// 128 blocks of f 16384, H100: 30 us with all 32 bits and loads of single sums.
// select_many: wider groups, a block of 256 threads: radix selection, eight bits at a time, from memory.
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

template <int ITEMS>
DEV void select_in_registers(const float* values, u16* target, int first, int width, int keep) {
  __shared__ int counts[2][32];
  __shared__ int scratch[32];
  const int start = (int)threadIdx.x * ITEMS;
  u32 keys[ITEMS];
  if (start + ITEMS <= width && (u64)values % 16 == 0) {
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
      keys[i] = start + i < width ? (u32)ordered_key(values[start + i]) ^ 0x80000000u : 0u;
    }
  }
  // The largest threshold that at least `keep` keys reach. Keys past the end are 0, as NaN's is: they reach
  // only the threshold 0, and there they come after all others.
  u32 threshold = 0;
  for (int bit = 31; bit >= 0; --bit) {
    const u32 trial = threshold | 1u << bit;
    int mine = 0;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) mine += keys[i] >= trial;
    const int reach = count_all(mine, counts[bit & 1]);
    if (reach >= keep) threshold = trial;
    if (reach == keep) break;
  }
  int above = 0, tied = 0;
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    above += keys[i] > threshold;
    tied += keys[i] == threshold && start + i < width;
  }
  int all_above, all_tied;
  const int above_before = block_scan(above, scratch, &all_above);
  const int tied_before = block_scan(tied, scratch, &all_tied);
  const int room = keep - all_above;  // for ties
  int place = above_before + min(tied_before, room), ties = tied_before;
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    const bool is_tied = keys[i] == threshold && start + i < width;
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
