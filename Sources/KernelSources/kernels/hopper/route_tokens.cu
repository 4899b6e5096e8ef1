// A token's key, its nearest cluster, then its second nearest, from one read of its row: a product with at most 64
// centroids whose scores never leave registers. Ties to the lower index, NaN last. Counts keys as well.
//
//   key = C nearest + second of X Cᵀ, X [T, d], centroids [C, d], bf16, scores in fp32, keys 16-bit; counts [C, C]
//
// A block takes tiles of 128 tokens by turns and has a ring of 64-deep stages, filled by TMA: one thread loads, also for
// the next tile while two warpgroups end one, which multiply 64 tokens each. A row's scores lie in the registers of four
// lanes.
//
// Maps: 128-byte swizzle, 64 columns; 128 rows a box of X, 64 of the centroids. Launch: 288 threads, 196736 bytes of shared
// memory, a block for every 128 tokens or every multiprocessor. Strides and d multiples of 8.
//
// Floor at T 49152, d 768: 75 MB read once, 25 us at 3 TB/s. Reached in a training step, 2026-11-25: 37 us on an H200
// (2.0 TB/s), also when two blocks with a tile each shared a multiprocessor, half a wave of them at the end: 1 us more in
// krait bench ffn. A library product to fp32 scores (40 us) and a pass over them (15 us) took 55 us on an H100 80GB HBM3.
#include "hopper/memory.cuh"
#include "hopper/tile_ring.cuh"
#include "hopper/wgmma.cuh"
#include "two_largest.cuh"

constexpr int ROWS = 128, MOST = 64, DEPTH = 64, STAGES = 8;
constexpr u32 A_BYTES = ROWS * 128, STAGE_BYTES = A_BYTES + MOST * 128, BARRIERS = STAGES * STAGE_BYTES;
static_assert(BARRIERS + 16 * STAGES == 196736, "what a launch asks for");

DEV void produce(const TensorMap& input, const TensorMap& centroids, u32 base, int tokens, int depth) {
  TileRing<STAGES> ring(1);
  for (int row = blockIdx.x * ROWS; row < tokens; row += gridDim.x * ROWS) {
    for (int k = 0; k < depth; ++k, ring.advance()) {
      const u32 a = base + ring.stage * STAGE_BYTES, bar = base + BARRIERS + 8 * ring.stage;
      mbar_wait(bar + 8 * STAGES, ring.parity);
      mbar_arrive_expect_tx(bar, STAGE_BYTES);
      tma_load_2d(a, &input, k * DEPTH, row, bar);
      tma_load_2d(a + A_BYTES, &centroids, k * DEPTH, 0, bar);
    }
  }
}

extern "C" __global__ void __launch_bounds__(288, 1)
    route_tokens(const __grid_constant__ TensorMap input, const __grid_constant__ TensorMap centroids, int tokens,
                 int clusters, int width, u16* keys, int* counts) {
  extern __shared__ __align__(1024) u8 shared[];
  const u32 base = shared_address(shared), full = base + BARRIERS, empty = full + 8 * STAGES;
  if (threadIdx.x == 256) {
    tma_prefetch_map(&input);
    tma_prefetch_map(&centroids);
    init_stages<STAGES>(full, empty, 8);  // every warp that multiplies
  }
  __syncthreads();
  begin_kernel();
  const int wg = warp_uniform(threadIdx.x >> 7), depth = (width + DEPTH - 1) / DEPTH;
  if (wg == 2) {
    if (threadIdx.x == 256) produce(input, centroids, base, tokens, depth);
    return;
  }
  const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
  TileRing<STAGES> ring(0);
  float acc[32];
  for (int row = blockIdx.x * ROWS; row < tokens; row += gridDim.x * ROWS) {
    u32 previous = 0;
    for (int k = 0; k < depth; ++k, ring.advance()) {
      mbar_wait(full + 8 * ring.stage, ring.parity);
      const u32 a = base + ring.stage * STAGE_BYTES;
      const u64 da = descriptor_k_major(a + wg * (64 * 128)), db = descriptor_k_major(a + A_BYTES);
      wgmma_fence();
#pragma unroll
      for (int j = 0; j < 4; ++j)
        wgmma_m64n64k16<0, 0>(acc, da + j * (32 >> 4), db + j * (32 >> 4), k > 0 || j > 0);
      wgmma_commit();
      wgmma_wait<1>();  // the stage before this one has been read
      if (k > 0 && lane == 0) mbar_arrive(empty + 8 * previous);
      previous = ring.stage;
    }
    wgmma_wait<0>();
    if (lane == 0) mbar_arrive(empty + 8 * previous);
#pragma unroll
    for (int i = 0; i < 32; ++i) pin(acc[i]);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      TwoLargest found;
#pragma unroll
      for (int j = 0; j < 8; ++j) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int cluster = 8 * j + 2 * (lane & 3) + e;
          if (cluster < clusters) found.add(ordered_key(acc[4 * j + 2 * half + e]), cluster);
        }
      }
      found.combine<4>();
      const int token = row + wg * 64 + warp * 16 + lane / 4 + 8 * half;
      if (token < tokens && (lane & 3) == 0) found.note(clusters, keys + token, counts);
    }
  }
}
