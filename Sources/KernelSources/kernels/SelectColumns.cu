// The neurons with the largest block sums, ascending; ties to the lower index. The sums of the blocks before and after
// count by `weight`, those beyond by its square.
//
// select_few: a thread per group of at most 64: a value stays when fewer than `keep` are ahead.
// select_1024 to select_16384: a block of 256 to 1024 threads per group of at most so many, each thread with 4 to 16
// neighbouring keys in registers. A histogram of 2048 bins between the smallest and the largest key (block sums
// spread over them; the bits of a key would not: few exponents, and shared-memory atomics that all hit the same
// bins) leaves the few keys of one bin, of which one warp finds the keep-th largest: each lane counts who is ahead of
// its key, or bit by bit when they are many. One scan then gives every thread the places of its kept keys.
// select_many: wider groups, a block of 256 threads: radix selection, eight bits at a time, from memory.
//
// 384 blocks of f 3072: 18 us on an H200 in a training step, 2026-11-25, with the sums of neighbours added on the way.
// 384 blocks of f 3072 | 8192, H100: 25 | 57 us when all were blocks of 1024 threads: two to a multiprocessor, that wait
// for each other at a dozen barriers. When every bit was a count over all keys, 128 blocks of f 16384 took 27 us.
#include "reduce.cuh"

// Sums of every cluster, and four clusters for every block; null for none.
struct Remembered {
  const float* sums;
  i64 stride;
  const int* marks;
  i64 marks_stride;
};

// A group's sums.
struct Sums {
  const float* own;
  i64 stride;
  float weight;
  int before, after;  // blocks on either side that count, two at most
  const float* remembered[4];  // of the block's marks; null for none
  DEV Sums(const float* sums, i64 stride_, i64 row, i64 rows, i64 first, float w, const Remembered& memory)
      : stride(stride_), weight(w) {
    own = sums + row * stride + first;
#pragma unroll
    for (int q = 0; q < 4; ++q) {
      remembered[q] = memory.sums ? memory.sums + memory.marks[row * memory.marks_stride + q] * memory.stride + first
                                  : nullptr;
    }
    before = w != 0.0f ? (int)min(row, (i64)2) : 0;
    after = w != 0.0f ? (int)min(rows - 1 - row, (i64)2) : 0;
  }
  DEV float operator[](int i) const {
    float sum = own[i];
    if (before > 0) sum += weight * own[i - stride];
    if (after > 0) sum += weight * own[i + stride];
    if (before > 1) sum += weight * weight * own[i - 2 * stride];
    if (after > 1) sum += weight * weight * own[i + 2 * stride];
    if (remembered[0]) sum += 0.25f * (((remembered[0][i] + remembered[1][i]) + remembered[2][i]) + remembered[3][i]);
    return sum;
  }
  DEV bool has_fours() const {
    bool has = (u64)own % 16 == 0 && stride % 4 == 0;
#pragma unroll
    for (int q = 0; q < 4; ++q) has = has && (u64)remembered[q] % 16 == 0;
    return has;
  }
  DEV float4 four(int i) const {
    float4 sum = *(const float4*)(own + i);
    const auto add = [&](i64 distance, float w) {
      const float4 o = *(const float4*)(own + i + distance * stride);
      sum = make_float4(sum.x + w * o.x, sum.y + w * o.y, sum.z + w * o.z, sum.w + w * o.w);
    };
    if (before > 0) add(-1, weight);
    if (after > 0) add(1, weight);
    if (before > 1) add(-2, weight * weight);
    if (after > 1) add(2, weight * weight);
    if (remembered[0]) {
      float4 r[4];
#pragma unroll
      for (int q = 0; q < 4; ++q) r[q] = *(const float4*)(remembered[q] + i);
      sum.x += 0.25f * (((r[0].x + r[1].x) + r[2].x) + r[3].x);
      sum.y += 0.25f * (((r[0].y + r[1].y) + r[2].y) + r[3].y);
      sum.z += 0.25f * (((r[0].z + r[1].z) + r[2].z) + r[3].z);
      sum.w += 0.25f * (((r[0].w + r[1].w) + r[2].w) + r[3].w);
    }
    return sum;
  }
};

KERNEL select_few(const float* sums, i64 stride, i64 rows, i64 groups, int width, int keep, float weight,
                  const float* remembered, i64 remembered_stride, const int* marks, i64 marks_stride, u16* columns,
                  i64 columns_stride) {
  begin_kernel();
  const i64 index = thread_index();
  if (index >= rows * groups) return;
  const i64 row = index / groups, group = index % groups;
  const Sums values(sums, stride, row, rows, group * width, weight,
                    {remembered, remembered_stride, marks, marks_stride});
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

// The sum over all threads; one barrier, `shared` alternates between calls.
template <int THREADS>
DEV int count_all(int value, int* shared) {
  value = __reduce_add_sync(0xffffffffu, value);
  if ((threadIdx.x & 31) == 0) shared[threadIdx.x >> 5] = value;
  __syncthreads();
  const int lane = threadIdx.x & 31;
  return __reduce_add_sync(0xffffffffu, lane < THREADS / 32 ? shared[lane] : 0);
}

constexpr int BINS = 2048;

struct SelectShared {
  alignas(16) int bins[BINS];
  u32 list[BINS];  // the keys of the bin that holds the threshold
  int counts[2][32];
  int scratch[32];
  u32 lows[32], highs[32], threshold;
  int bin, left, listed;
};

// The `left`-th largest of the listed values, below 2^bits; for one warp.
DEV u32 select_listed(const u32* list, int held, int left, int bits) {
  const int lane = threadIdx.x & 31;
  if (held <= 32) {
    const u32 mine = lane < held ? list[lane] : 0u;
    int ahead = 0;
    for (int i = 0; i < held; ++i) {
      const u32 other = __shfl_sync(0xffffffffu, mine, i);
      ahead += other > mine || (other == mine && i < lane);
    }
    const u32 found = __ballot_sync(0xffffffffu, lane < held && ahead == left - 1);
    return __shfl_sync(0xffffffffu, mine, __ffs(found) - 1);
  }
  u32 threshold = 0;
  for (int bit = bits - 1; bit >= 0; --bit) {
    const u32 trial = threshold | 1u << bit;
    int reached = 0;
    for (int i = lane; i < held; i += 32) reached += list[i] >= trial;
    if (__reduce_add_sync(0xffffffffu, reached) >= left) threshold = trial;
  }
  return threshold;
}

// The largest threshold that at least `keep` of the keys reach, the same for all threads. `valid` of a thread's keys
// count, the rest are 0.
template <int THREADS, int ITEMS>
DEV u32 select_threshold(const u32 (&keys)[ITEMS], int valid, int keep, SelectShared& shared) {
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  u32 low = 0xffffffffu, high = 0;
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    if (i < valid) low = min(low, keys[i]);
    high = max(high, keys[i]);
  }
  low = __reduce_min_sync(0xffffffffu, low);
  high = __reduce_max_sync(0xffffffffu, high);
  if (lane == 0) {
    shared.lows[warp] = low;
    shared.highs[warp] = high;
  }
  if (threadIdx.x == 0) shared.listed = 0;
  for (int i = threadIdx.x; i < BINS; i += THREADS) shared.bins[i] = 0;
  __syncthreads();
  low = __reduce_min_sync(0xffffffffu, lane < THREADS / 32 ? shared.lows[lane] : 0xffffffffu);
  high = __reduce_max_sync(0xffffffffu, lane < THREADS / 32 ? shared.highs[lane] : 0u);
  const u32 range = high - low;
  const int shift = range < BINS ? 0 : 21 - __clz((int)range);  // range >> shift is below 2048
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    if (i < valid) atomicAdd(&shared.bins[(keys[i] - low) >> shift], 1);
  }
  __syncthreads();
  // From the highest bin down, some for every thread: where the running sum reaches `keep`.
  constexpr int EACH = BINS / THREADS;
  const int upper = BINS - 1 - EACH * (int)threadIdx.x;
  int mine[EACH], sum = 0;
#pragma unroll
  for (int i = 0; i < EACH; ++i) {
    mine[i] = shared.bins[upper - i];
    sum += mine[i];
  }
  int all, before = block_scan(sum, shared.scratch, &all);
  if (before < keep && before + sum >= keep) {
#pragma unroll
    for (int i = 0; i < EACH; ++i) {
      if (before < keep && before + mine[i] >= keep) {
        shared.bin = upper - i;
        shared.left = keep - before;
      }
      before += mine[i];
    }
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
      int reached = 0;
#pragma unroll
      for (int i = 0; i < ITEMS; ++i) reached += keys[i] >= trial && i < valid;
      if (count_all<THREADS>(reached, shared.counts[bit & 1]) >= keep) threshold = trial;
    }
    return threshold;
  }
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    if (i < valid && (keys[i] - low) >> shift == bin) shared.list[atomicAdd(&shared.listed, 1)] = keys[i] - start;
  }
  __syncthreads();
  if (threadIdx.x < 32) {
    const u32 threshold = select_listed(shared.list, held, left, shift);
    if (threadIdx.x == 0) shared.threshold = start + threshold;
  }
  __syncthreads();
  return shared.threshold;
}

template <int THREADS, int ITEMS>
DEV void select_in_registers(const Sums& values, u16* target, int first, int width, int keep) {
  __shared__ SelectShared shared;
  const int start = (int)threadIdx.x * ITEMS;
  const int valid = max(0, min(ITEMS, width - start));
  u32 keys[ITEMS];
  if (valid == ITEMS && values.has_fours()) {
#pragma unroll
    for (int i = 0; i < ITEMS; i += 4) {
      const float4 four = values.four(start + i);
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
  const u32 threshold = select_threshold<THREADS, ITEMS>(keys, valid, keep, shared);
  int above = 0, tied = 0;
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    above += keys[i] > threshold;
    tied += keys[i] == threshold && i < valid;
  }
  int all;
  const int before = block_scan(above | tied << 16, shared.scratch, &all);
  const int room = keep - (all & 0xffff);  // for ties
  int ties = before >> 16, place = (before & 0xffff) + min(ties, room);
#pragma unroll
  for (int i = 0; i < ITEMS; ++i) {
    const bool is_tied = keys[i] == threshold && i < valid;
    if (keys[i] > threshold || (is_tied && ties < room)) target[place++] = (u16)(first + start + i);
    ties += is_tied;
  }
}

#define SELECT(THREADS, ITEMS, WIDTH)                                                                             \
  KERNEL __launch_bounds__(THREADS) select_##WIDTH(const float* sums, i64 stride, i64 rows, i64 groups, int width, \
                                                   int keep, float weight, const float* remembered,               \
                                                   i64 remembered_stride, const int* marks, i64 marks_stride,     \
                                                   u16* columns, i64 columns_stride) {                            \
    begin_kernel();                                                                                               \
    static_assert(THREADS * ITEMS == WIDTH, "its name");                                                          \
    const i64 row = blockIdx.x / groups, group = blockIdx.x % groups;                                             \
    select_in_registers<THREADS, ITEMS>(Sums(sums, stride, row, rows, group * width, weight,                      \
                                             {remembered, remembered_stride, marks, marks_stride}),               \
                                        columns + row * columns_stride + group * keep, (int)(group * width),      \
                                        width, keep);                                                             \
  }

SELECT(256, 4, 1024)
SELECT(256, 12, 3072)
SELECT(256, 16, 4096)
SELECT(512, 16, 8192)
SELECT(1024, 16, 16384)

KERNEL __launch_bounds__(256) select_many(const float* sums, i64 stride, i64 rows, i64 groups, int width, int keep,
                                          float weight, const float* remembered, i64 remembered_stride,
                                          const int* marks, i64 marks_stride, u16* columns, i64 columns_stride) {
  begin_kernel();
  __shared__ int counts[256];
  __shared__ int scratch[32];
  __shared__ u32 chosen;
  __shared__ int left;
  const i64 row = blockIdx.x / groups, group = blockIdx.x % groups;
  const Sums values(sums, stride, row, rows, group * width, weight,
                    {remembered, remembered_stride, marks, marks_stride});
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
