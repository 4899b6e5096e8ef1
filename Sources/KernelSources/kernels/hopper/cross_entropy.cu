// The loss of every token, and its gradient in place of the logits, on Hopper: a row is read once and written once.
//
// A cluster of blocks holds a row in registers, ROW_PACKS packs of 16 bytes a thread. Every block finds the maximum
// and the sum of exponentials of its part; the parts meet in shared memory of all blocks and are added in their order,
// so that results never depend on time. A negative target is ignored; one outside of the vocabulary gives NaN.
// Reached on one H100 80GB HBM3, 2026-11-25, logits read and written: 4096 x 128256 0.756 ms, 2.78 TB/s (two passes of
// CrossEntropy.cu: 1.063); 16384 x 50304 1.20 (1.28); 16384 x 32768 0.734 (0.806); 8192 x 16384 0.188 (0.229).
// cross_entropy_N: clusters of N blocks, grid N * rows, vocabulary a multiple of 8, at most N * threads * 64.
#include "pack.cuh"
#include "reduce.cuh"
#include "hopper/memory.cuh"

constexpr int ROW_PACKS = 8;

// A number of this block's shared memory, written in the block of a rank.
DEV void store_cluster(const void* at, u32 rank, float value) {
  asm volatile(
      "{\n.reg .b32 a;\nmapa.shared::cluster.u32 a, %0, %1;\nst.shared::cluster.f32 [a], %2;\n}\n" ::"r"(shared_address(at)),
      "r"(rank), "f"(value)
      : "memory");
}
// Between these two all blocks of the cluster begin; what is stored in one that has not may fault (racecheck).
DEV void cluster_begin() { asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory"); }
DEV void cluster_wait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }
// Everything written before is seen after, in all blocks.
DEV void cluster_exchange() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

template <int BLOCKS>
DEV void row_loss(element* logits, i64 stride, const int* targets, float* losses, int count, int with_gradient,
                  float scale) {
  __shared__ float shared[32];
  __shared__ float maxima[BLOCKS], sums[BLOCKS];
  const int rank = blockIdx.x % BLOCKS, step = blockDim.x * BLOCKS;
  const i64 row = blockIdx.x / BLOCKS;
  element* z = logits + row * stride;
  const int target = targets[row], packs = count / PACK, first = rank * blockDim.x + threadIdx.x;
  float values[PACK];
  if (target < 0) {  // the whole cluster
    if (rank == 0 && threadIdx.x == 0) losses[row] = 0.0f;
#pragma unroll
    for (int k = 0; k < PACK; ++k) values[k] = 0.0f;
    for (int i = first; with_gradient && i < packs; i += step) store_pack(z + (i64)i * PACK, values);
    return;
  }
  if (BLOCKS > 1) cluster_begin();
  uint4 held[ROW_PACKS];
  const uint4 lowest = make_uint4(0xff80ff80u, 0xff80ff80u, 0xff80ff80u, 0xff80ff80u);  // -infinity
#pragma unroll
  for (int j = 0; j < ROW_PACKS; ++j) {
    const int i = first + j * step;
    held[j] = i < packs ? load_raw(z + (i64)i * PACK) : lowest;
  }
  const float target_logit = target < count ? to_float(z[target]) : NOT_A_NUMBER;
  float maximum = -INFINITE, sum = 0.0f;
#pragma unroll
  for (int j = 0; j < ROW_PACKS; ++j) {
    unpack(held[j], values);
#pragma unroll
    for (int k = 0; k < PACK; ++k) maximum = fmaxf(maximum, values[k]);
  }
  // The maximum passes over NaN; the sum does not. Where all is -infinity, so is the loss's logarithm.
  const float highest = block_max(maximum, shared), shift = highest == -INFINITE ? 0.0f : highest;
#pragma unroll
  for (int j = 0; j < ROW_PACKS; ++j) {
    unpack(held[j], values);
#pragma unroll
    for (int k = 0; k < PACK; ++k) sum += __expf(values[k] - shift);
  }
  sum = block_sum(sum, shared);
  if (BLOCKS > 1) cluster_wait();
  if (threadIdx.x < BLOCKS) {
    store_cluster(&maxima[rank], threadIdx.x, highest);
    store_cluster(&sums[rank], threadIdx.x, sum);
  }
  cluster_exchange();
  float top = -INFINITE, total = 0.0f;
#pragma unroll
  for (int b = 0; b < BLOCKS; ++b) top = fmaxf(top, maxima[b]);
#pragma unroll
  for (int b = 0; b < BLOCKS; ++b) total += maxima[b] == -INFINITE ? sums[b] : sums[b] * __expf(maxima[b] - top);
  if (rank == 0 && threadIdx.x == 0) losses[row] = logf(total) + top - target_logit;
  if (!with_gradient) return;
  const float factor = scale / total;
#pragma unroll
  for (int j = 0; j < ROW_PACKS; ++j) {
    const int i = first + j * step;
    if (i >= packs) break;
    unpack(held[j], values);
#pragma unroll
    for (int k = 0; k < PACK; ++k) {
      values[k] = __expf(values[k] - top) * factor - (i * PACK + k == target ? scale : 0.0f);
    }
    store_pack(z + (i64)i * PACK, values);
  }
}

#define CROSS_ENTROPY(BLOCKS)                                                                                   \
  extern "C" __global__ void __cluster_dims__(BLOCKS, 1, 1) __launch_bounds__(512, 2)                           \
      cross_entropy_##BLOCKS(element* logits, i64 stride, const int* targets, float* losses, i64 vocabulary,    \
                             int with_gradient, float scale) {                                                  \
    begin_kernel();                                                                                             \
    row_loss<BLOCKS>(logits, stride, targets, losses, (int)vocabulary, with_gradient, scale);                   \
  }

CROSS_ENTROPY(1)
CROSS_ENTROPY(2)
CROSS_ENTROPY(4)
CROSS_ENTROPY(8)
