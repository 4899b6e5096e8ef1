// The neurons with the largest block sums, ascending; ties to the lower index.
//
// select_few: a thread per group of at most 64: a value stays when fewer than `keep` are ahead.
// select_many: a block of 256 threads per group: the keep-th largest key by radix selection, eight
// bits at a time, then everything above it and the first ties in order.
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
