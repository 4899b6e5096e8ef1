// Centroids move to the mean direction of the rows that are nearest to them.
//
// find_nearest: eight lanes a row of scores, as RouteTokens. sum_members: grid (columns / 256, clusters, parts of the rows);
// a block lists the cluster's rows among 256 at a time, in their order, and a thread adds its column of them. Parts are
// added in order by move, a block for every centroid: the same bits in every run.
//
// Floor at T 49152, d 768, C 48: the input twice (75 MB; the product that gives scores, and here) and the row numbers
// once for every cluster and 256 columns (28 MB, from L2): 0.06 ms at 3 TB/s. Reached: a step of 12 layers in which centroids
// move takes 3 to 3.5 ms longer than its neighbours, so 0.25 to 0.3 ms a layer (H200, 2026-11-26, metrics.jsonl of the runs in
// Benchmarks/Reports/2026-11-26-router-h200.md). Done once in many steps: the only version tried.
#include "reduce.cuh"
#include "two_largest.cuh"

KERNEL find_nearest(const float* scores, i64 stride, i64 tokens, i64 clusters, int* nearest) {
  begin_kernel();
  const i64 token = thread_index() / 8;
  TwoLargest found;
  if (find_two(scores, stride, tokens, clusters, token, found)) nearest[token] = found.best;
}

KERNEL __launch_bounds__(256) sum_members(const int* nearest, const element* input, i64 stride, i64 tokens, i64 columns,
                                          i64 part_rows, float* sums, int* members) {
  begin_kernel();
  __shared__ int listed[256], shared[32];
  const i64 column = (i64)blockIdx.x * 256 + threadIdx.x, slot = (i64)blockIdx.z * gridDim.y + blockIdx.y;
  const i64 first = blockIdx.z * part_rows, end = first + part_rows < tokens ? first + part_rows : tokens;
  const int cluster = blockIdx.y;
  float sum = 0.0f;
  int count = 0;
  for (i64 base = first; base < end; base += 256) {
    const i64 row = base + threadIdx.x;
    const bool is_member = row < end && nearest[row] == cluster;
    int found;
    const int place = block_scan(is_member, shared, &found);
    if (is_member) listed[place] = (int)(row - base);
    __syncthreads();
    if (column < columns) {
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
