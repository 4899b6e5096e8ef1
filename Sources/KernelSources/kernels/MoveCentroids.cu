// Centroids move to the mean direction of the rows that are nearest to them.
//
// find_nearest: eight lanes a row of scores, as RouteTokens. sum_members: grid (columns / 256, clusters, parts of the rows);
// a block lists the cluster's rows among 256 at a time, in their order, and a thread adds its column of them. The parts
// take turns at the 256: rows mostly come in the order that tokens were routed by, where a cluster's lie together. Parts
// are added in order by move, a block for every centroid: the same bits in every run.
//
// Floor at T 49152, d 768, C 48: the input twice (75 MB; the product that gives scores, and here) and the row numbers
// once for every cluster and 256 columns (28 MB, from L2): 0.06 ms at 3 TB/s. Reached: a step of 11 layers in which centroids
// move takes 1.3 ms longer than the one before, so 0.12 ms a layer (H200, 2026-11-26, metrics.jsonl of the runs in
// Benchmarks/Reports/2026-11-26-learning-rate-h200.md, medians of 70); 0.3 ms with parts of consecutive rows, where one block
// added most of a cluster, one row after the other.
#include "reduce.cuh"
#include "two_largest.cuh"

KERNEL find_nearest(const float* scores, i64 stride, i64 tokens, i64 clusters, int* nearest) {
  begin_kernel();
  const i64 token = thread_index() / 8;
  TwoLargest found;
  if (find_two(scores, stride, tokens, clusters, token, found)) nearest[token] = found.best;
}

KERNEL __launch_bounds__(256) sum_members(const int* nearest, const element* input, i64 stride, i64 tokens, i64 columns,
                                          float* sums, int* members) {
  begin_kernel();
  __shared__ int listed[256], shared[32];
  const i64 column = (i64)blockIdx.x * 256 + threadIdx.x, slot = (i64)blockIdx.z * gridDim.y + blockIdx.y;
  const int cluster = blockIdx.y;
  float sum = 0.0f;
  int count = 0;
  for (i64 base = (i64)blockIdx.z * 256; base < tokens; base += (i64)gridDim.z * 256) {
    const i64 row = base + threadIdx.x;
    const bool is_member = row < tokens && nearest[row] == cluster;
    int found;
    const int place = block_scan(is_member, shared, &found);
    if (is_member) listed[place] = (int)(row - base);
    __syncthreads();
    if (column < columns) {
#pragma unroll 8
      for (int i = 0; i < found; ++i) sum += to_float(input[(base + listed[i]) * stride + column]);
    }
    count += found;
    __syncthreads();
  }
  if (column < columns) sums[slot * columns + column] = sum;
  if (blockIdx.x == 0 && threadIdx.x == 0) members[slot] = count;
}

KERNEL __launch_bounds__(256) move(float* sums, const int* members, i64 parts, const element* input, i64 input_stride,
                                   i64 tokens, const element* centroids, i64 centroids_stride, i64 columns, i64 fewest,
                                   element* moved, i64 moved_stride) {
  begin_kernel();
  __shared__ float shared[32];
  const i64 cluster = blockIdx.x, clusters = gridDim.x;
  i64 rows = 0;
  for (i64 part = 0; part < parts; ++part) rows += members[part * clusters + cluster];
  const element* fresh = rows < fewest ? input + cluster * tokens / clusters * input_stride : nullptr;
  float* total = sums + cluster * columns;  // In the place of the first part.
  float squares = 0.0f;
  for (i64 column = threadIdx.x; column < columns; column += blockDim.x) {
    float sum = fresh ? to_float(fresh[column]) : 0.0f;
    if (!fresh) {
      for (i64 part = 0; part < parts; ++part) sum += sums[(part * clusters + cluster) * columns + column];
    }
    total[column] = sum;
    squares = fmaf(sum, sum, squares);
  }
  squares = block_sum(squares, shared);
  const bool has_direction = squares > 0.0f && squares < INFINITE;
  const float scale = has_direction ? 1.0f / sqrtf(squares) : 0.0f;
  for (i64 column = threadIdx.x; column < columns; column += blockDim.x) {
    moved[cluster * moved_stride + column] =
        has_direction ? from_float(total[column] * scale) : centroids[cluster * centroids_stride + column];
  }
}
