// A token's key, its nearest cluster, then its second nearest, from one read of its row: a product with at most 192
// centroids whose scores never leave registers. Ties to the lower index, NaN last. Counts keys as well.
//
//   key = C nearest + second of X Cᵀ, or by the places of clusters, see two_largest.cuh
//   X [T, d], centroids [C, d], bf16, scores in fp32, keys 16-bit; counts [C, C] or [C, levels]
//
// A block takes tiles of 128 tokens by turns and has a ring of 64-deep stages, filled by TMA: one thread loads, also for
// the next tile while two warpgroups end one, which multiply 64 tokens each. A row's scores lie in the registers of four
// lanes: 16 to 48 a lane, for 64, 128 or 192 centroids, those beyond the last zero and not looked at. (With 256 the two
// warpgroups run out of registers.)
//
// Maps: 128-byte swizzle, 64 columns; 128 rows a box of X, as many as the kernel takes of the centroids. Launch: 288
// threads, ROUTE_BYTES of shared memory, a block for every 128 tokens or every multiprocessor. Strides and d multiples of 8.
//
// Floor at T 49152, d 768: 75 MB read once, 25 us at 3 TB/s; at 192 centroids 14 GFLOP, 20 us. Reached in a training step
// with 48, 2026-11-25: 37 us on an H200
// (2.0 TB/s), also when two blocks with a tile each shared a multiprocessor, half a wave of them at the end: 1 us more in
// krait bench ffn. A library product to fp32 scores (40 us) and a pass over them (15 us) took 55 us on an H100 80GB HBM3.
#include "hopper/memory.cuh"
#include "hopper/tile_ring.cuh"
#include "hopper/wgmma.cuh"
#include "two_largest.cuh"

constexpr int ROWS = 128, DEPTH = 64;
constexpr u32 A_BYTES = ROWS * 128;

// What differs with the most centroids that a kernel takes.
template <int MOST> struct Ring {
  static constexpr u32 stage_bytes = A_BYTES + MOST * 128;
  static constexpr int stages = MOST == 64 ? 8 : MOST == 128 ? 6 : 5;
  static constexpr u32 barriers = stages * stage_bytes;
};
// What a launch asks for: that of the largest.
constexpr u32 ROUTE_BYTES = 204880;
static_assert(Ring<192>::barriers + 16 * 5 == ROUTE_BYTES && Ring<64>::barriers + 16 * 8 <= ROUTE_BYTES &&
              Ring<128>::barriers + 16 * 6 <= ROUTE_BYTES);

DEV void multiply(float (&acc)[32], u64 a, u64 b, int adds) { wgmma_m64n64k16<0, 0>(acc, a, b, adds); }
DEV void multiply(float (&acc)[64], u64 a, u64 b, int adds) { wgmma_m64n128k16<0, 0>(acc, a, b, adds); }
DEV void multiply(float (&acc)[96], u64 a, u64 b, int adds) { wgmma_m64n192k16<0, 0>(acc, a, b, adds); }

template <int MOST>
DEV void produce(const TensorMap& input, const TensorMap& centroids, u32 base, int tokens, int depth) {
  constexpr int STAGES = Ring<MOST>::stages;
  TileRing<STAGES> ring(1);
  for (int row = blockIdx.x * ROWS; row < tokens; row += gridDim.x * ROWS) {
    for (int k = 0; k < depth; ++k, ring.advance()) {
      const u32 a = base + ring.stage * Ring<MOST>::stage_bytes, bar = base + Ring<MOST>::barriers + 8 * ring.stage;
      mbar_wait(bar + 8 * STAGES, ring.parity);
      mbar_arrive_expect_tx(bar, Ring<MOST>::stage_bytes);
      tma_load_2d(a, &input, k * DEPTH, row, bar);
      tma_load_2d(a + A_BYTES, &centroids, k * DEPTH, 0, bar);
    }
  }
}

template <int MOST>
DEV void route(const TensorMap& input, const TensorMap& centroids, int tokens, int clusters, int width,
               const int* places, int levels, u16* keys, int* counts) {
  extern __shared__ __align__(1024) u8 shared[];
  constexpr int STAGES = Ring<MOST>::stages;
  const u32 base = shared_address(shared), full = base + Ring<MOST>::barriers, empty = full + 8 * STAGES;
  if (threadIdx.x == 256) {
    tma_prefetch_map(&input);
    tma_prefetch_map(&centroids);
    init_stages<STAGES>(full, empty, 8);  // every warp that multiplies
  }
  __syncthreads();
  begin_kernel();
  const int wg = warp_uniform(threadIdx.x >> 7), depth = (width + DEPTH - 1) / DEPTH;
  if (wg == 2) {
    if (threadIdx.x == 256) produce<MOST>(input, centroids, base, tokens, depth);
    return;
  }
  const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
  TileRing<STAGES> ring(0);
  float acc[MOST / 2];
  for (int row = blockIdx.x * ROWS; row < tokens; row += gridDim.x * ROWS) {
    u32 previous = 0;
    for (int k = 0; k < depth; ++k, ring.advance()) {
      mbar_wait(full + 8 * ring.stage, ring.parity);
      const u32 a = base + ring.stage * Ring<MOST>::stage_bytes;
      const u64 da = descriptor_k_major(a + wg * (64 * 128)), db = descriptor_k_major(a + A_BYTES);
      wgmma_fence();
#pragma unroll
      for (int j = 0; j < 4; ++j) multiply(acc, da + j * (32 >> 4), db + j * (32 >> 4), k > 0 || j > 0);
      wgmma_commit();
      wgmma_wait<1>();  // the stage before this one has been read
      if (k > 0 && lane == 0) mbar_arrive(empty + 8 * previous);
      previous = ring.stage;
    }
    wgmma_wait<0>();
    if (lane == 0) mbar_arrive(empty + 8 * previous);
#pragma unroll
    for (int i = 0; i < MOST / 2; ++i) pin(acc[i]);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      TwoLargest found;
#pragma unroll
      for (int j = 0; j < MOST / 8; ++j) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int cluster = 8 * j + 2 * (lane & 3) + e;
          if (cluster < clusters) found.add(ordered_key(acc[4 * j + 2 * half + e]), cluster);
        }
      }
      found.combine<4>();
      const int token = row + wg * 64 + warp * 16 + lane / 4 + 8 * half;
      if (token < tokens && (lane & 3) == 0) found.note(clusters, places, levels, keys + token, counts);
    }
  }
}

#define ROUTE(MOST)                                                                                                  \
  extern "C" __global__ void __launch_bounds__(288, 1)                                                               \
      route_tokens_##MOST(const __grid_constant__ TensorMap input, const __grid_constant__ TensorMap centroids,      \
                          int tokens, int clusters, int width, const int* places, int levels, u16* keys,             \
                          int* counts) {                                                                             \
    route<MOST>(input, centroids, tokens, clusters, width, places, levels, keys, counts);                            \
  }
ROUTE(64)
ROUTE(128)
ROUTE(192)
