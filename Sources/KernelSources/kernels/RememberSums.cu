// What is remembered of a cluster moves towards the mean of the block sums that its marks point to.
//
// A block of 256 threads for every cluster and 1024 neurons: it lists the cluster's marks among 256 at a time, in
// their order, and a thread adds its four columns, 256 apart, of their blocks. The same bits in every run.
//
// Floor at 384 blocks, f 3072, 192 clusters: the sums once from L2 (4.7 MB) and what is remembered twice (2.4 MB each).
#include "reduce.cuh"

constexpr int PER_BLOCK = 4, EACH = 4;

KERNEL __launch_bounds__(256) remember_sums(const float* sums, i64 stride, i64 columns, const int* marks, i64 count,
                                            float rate, const float* before, i64 before_stride, float* after,
                                            i64 after_stride) {
  begin_kernel();
  __shared__ int listed[256], shared[32];
  const i64 first = (i64)blockIdx.x * (256 * EACH) + threadIdx.x, cluster = blockIdx.y;
  float sum[EACH] = {};
  int all = 0;
  for (i64 base = 0; base < count; base += 256) {
    const i64 mark = base + threadIdx.x;
    const bool is_ours = mark < count && marks[mark] == cluster;
    int found;
    const int place = block_scan(is_ours, shared, &found);
    if (is_ours) listed[place] = (int)(mark / PER_BLOCK);
    __syncthreads();
    for (int i = 0; i < found; ++i) {
      const float* row = sums + listed[i] * stride;
#pragma unroll
      for (int j = 0; j < EACH; ++j) {
        if (first + 256 * j < columns) sum[j] += row[first + 256 * j];
      }
    }
    all += found;
    __syncthreads();
  }
  const float share = all > 0 ? 1.0f / (float)all : 0.0f;
#pragma unroll
  for (int j = 0; j < EACH; ++j) {
    const i64 column = first + 256 * j;
    if (column >= columns) continue;
    const float old = before[cluster * before_stride + column];
    after[cluster * after_stride + column] = all > 0 ? old + rate * (sum[j] * share - old) : old;
  }
}
