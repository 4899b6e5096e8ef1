// Block sums of a product that is never stored: what selection chooses neurons by, on Hopper.
//
//   sums[b, n] = sum over the B tokens t of block b of max(X_t · U_n, 0)^2, X [T, d], U [f, d], fp32 [ceil(T / B), f]
//   block_energies_B            bf16 factors; B 8, 16, 32, 64 or 128
//   block_energies_eight_bit_B  both in e4m3, made by the two kernels below: twice the rate of bf16
//   quantize_tokens             X, times TOKEN_SCALE (it comes out of a norm: about 1)
//   quantize_neurons            U, every row by the factor that makes its largest value the largest there is
//
// A block computes 128 neurons x 256 tokens, tokens along the columns, where a thread's values of a neuron lie next to
// each other: the sums are made in registers and nothing of size [T, f] leaves the multiprocessor. A ring of four stages
// of 128 bytes of depth (64 bf16, 128 e4m3), filled by TMA: one producer thread loads the block's 128 rows of U and half
// of the 256 rows of X that a cluster of two shares; two consumer warpgroups have 64 neurons each.
//
// Maps: 64 columns of 16 bits, 128 rows a box, 128-byte swizzle (two e4m3 pass for one value of 16 bits). Launch: 384
// threads, 196672 bytes of shared memory, grid 2 min(tiles of 256 x 256, multiprocessors / 2).
//
// Floor at T 16384, d 4096, f 16384: 2200 GFLOP, 2.22 ms at 989 TFLOP/s, 1.11 ms in e4m3; power holds both back.
// Reached on one H100 80GB HBM3 (700 W), 2026-11-25, Benchmarks/kernels/block_energies.py --time, in turns with the
// kernels that store [T, f]; tokens and neurons to e4m3 in brackets, B 128, in ms:
//                               bf16    e4m3                      2:4 (two_four_product.cu)   dense_squared_relu
//   T 49152, d 768, f 3072      0.308   0.173 [0.047 + 0.006]     0.198                       0.342
//   T 16384, d 2048, f 8192     0.820   0.430 [0.039 + 0.022]     0.512                       0.860
//   T 16384, d 4096, f 16384    3.160   1.618 [0.073 + 0.075]     2.04                        3.235
// In a selection RMSNorm.cu writes tokens in e4m3 on its way, and both can be left out at once (two_four_energies.cu). Of
// some tokens only, on one H200, 2026-11-26, bf16 | e4m3:
//                               16 of 128        32               64
//   T 49152, d 768, f 3072      0.055 | 0.034    0.092 | 0.054    0.176 | 0.099
//   T 16384, d 4096, f 16384    0.427 | 0.224    0.839 | 0.436    1.677 | 0.863
// Tried: one warpgroup up to three stages ahead of the other, so that it multiplies while the other sums: 0.158 to 0.164
// to 0.167 ms in e4m3 at d 768, no difference at d 4096 (H200).
// Groups of 4, 8 or 16 tiles of neurons make no difference. e4m3 moves a sum by about 1 %: the neurons it chooses hold
// 99.9 % or more of what the right ones hold, in the worst block (normal numbers, density 1/8).
#include "hopper/eight_bit.cuh"
#include "hopper/energies.cuh"
#include "hopper/memory.cuh"
#include "hopper/tile_ring.cuh"
#include "hopper/wgmma.cuh"

constexpr int NEURONS = 128, TOKENS = 256, DEPTH = 64, STAGES = 4, CLUSTER = 2;
constexpr u32 A_BYTES = NEURONS * 128, B_BYTES = TOKENS * 128, STAGE_BYTES = A_BYTES + B_BYTES;
constexpr u32 SHARE_BYTES = B_BYTES / CLUSTER, SHARED_BARRIERS = STAGES * STAGE_BYTES;
static_assert(SHARED_BARRIERS + 16 * STAGES == 196672, "what a launch asks for");

// A block of 128 threads for every row; out is dense. d a multiple of 16.
extern "C" __global__ void __launch_bounds__(128)
quantize_tokens(const bf16* __restrict__ rows, i64 stride, int width, u8* __restrict__ out) {
  begin_kernel();
  const uint4* const from = (const uint4*)(rows + blockIdx.x * stride);
  uint2* const to = (uint2*)(out + (i64)blockIdx.x * width);
  for (int i = threadIdx.x; i < width / 8; i += 128) to[i] = quantize_eight(from[i], TOKEN_SCALE);
}

// A block of 128 threads for every neuron; factors: what a sum of squares has to be multiplied by.
extern "C" __global__ void __launch_bounds__(128)
quantize_neurons(const bf16* __restrict__ weights, i64 stride, int width, u8* __restrict__ out, float* __restrict__ factors) {
  begin_kernel();
  __shared__ float largest[4];
  const uint4* const from = (const uint4*)(weights + blockIdx.x * stride);
  uint2* const to = (uint2*)(out + (i64)blockIdx.x * width);
  float most = 0;
  for (int i = threadIdx.x; i < width / 8; i += 128) most = fmaxf(most, largest_magnitude(from[i]));
#pragma unroll
  for (int step = 16; step > 0; step >>= 1) most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, step));
  if ((threadIdx.x & 31) == 0) largest[threadIdx.x >> 5] = most;
  __syncthreads();
  const float scale = neuron_scale(fmaxf(fmaxf(largest[0], largest[1]), fmaxf(largest[2], largest[3])));
  if (threadIdx.x == 0) factors[blockIdx.x] = sum_factor(scale);
  for (int i = threadIdx.x; i < width / 8; i += 128) to[i] = quantize_eight(from[i], scale);
}

template <bool EIGHT_BIT, int BLOCK>
struct BlockEnergies {
  const TensorMap *input, *weights;
  const float* factors;
  EnergySums to;
  u32 base, full, empty;
  TileOrder order;
  int rank, first_tile, tile_step, depth;

  DEV void place(int tile, int& token, int& neuron) const {
    order.place(tile, token, neuron);
    token *= TOKENS;
    neuron = (neuron * CLUSTER + rank) * NEURONS;
  }

  DEV void produce() const {  // one thread
    TileRing<STAGES> ring(1);
    for (int tile = first_tile; tile < order.count(); tile += tile_step) {
      int token, neuron;
      place(tile, token, neuron);
      for (int k = 0; k < depth; ++k, ring.advance()) {
        mbar_wait(empty + 8 * ring.stage, ring.parity);
        const u32 a = base + ring.stage * STAGE_BYTES, bar = full + 8 * ring.stage;
        mbar_arrive_expect_tx(bar, STAGE_BYTES);
        tma_load_2d(a, weights, k * DEPTH, neuron, bar);
        tma_load_2d_multicast(a + A_BYTES + rank * SHARE_BYTES, input, k * DEPTH, token + rank * (TOKENS / CLUSTER), bar,
                              (1 << CLUSTER) - 1);
      }
    }
    wait_until_empty(ring, empty);
  }

  DEV void consume(int wg) const {
    const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
    TileRing<STAGES> ring(0);
    float acc[128];
    for (int tile = first_tile; tile < order.count(); tile += tile_step) {
      int token, neuron;
      place(tile, token, neuron);
      neuron += wg * 64 + warp * 16;
      const int own = neuron + (lane >> 2) + 8 * (lane & 1);
      const float factor = EIGHT_BIT && own < to.neurons ? factors[own] : 1.f;
      u32 previous = 0;
      for (int k = 0; k < depth; ++k) {
        mbar_wait(full + 8 * ring.stage, ring.parity);
        const u32 a = base + ring.stage * STAGE_BYTES;
        const u64 da = descriptor_k_major(a + wg * (64 * 128)), db = descriptor_k_major(a + A_BYTES);
        wgmma_fence();
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          if (EIGHT_BIT) wgmma_e4m3_m64n256k32(acc, da + j * (32 >> 4), db + j * (32 >> 4), k > 0 || j > 0);
          else wgmma_m64n256k16<0, 0>(acc, da + j * (32 >> 4), db + j * (32 >> 4), k > 0 || j > 0);
        }
        wgmma_commit();
        wgmma_wait<1>();  // the stage before this one has been read
        if (k > 0) release_stage<CLUSTER>(empty, previous, lane);
        previous = ring.stage;
        ring.advance();
      }
      wgmma_wait<0>();
      release_stage<CLUSTER>(empty, previous, lane);
#pragma unroll
      for (int i = 0; i < 128; ++i) pin(acc[i]);
      store_energies<BLOCK>(acc, to, token, neuron, factor);
    }
  }

  DEV static void run(const TensorMap* input, const TensorMap* weights, const float* factors, const EnergySums& to,
                      int tokens, int words, int group, u8* shared) {
    const u32 base = shared_address(shared), full = base + SHARED_BARRIERS, empty = full + 8 * STAGES;
    const TileOrder order = {(tokens + TOKENS - 1) / TOKENS, (to.neurons + NEURONS * CLUSTER - 1) / (NEURONS * CLUSTER),
                             group};
    const BlockEnergies product = {input, weights, factors, to, base, full, empty, order, (int)cluster_rank(),
                                   (int)blockIdx.x / CLUSTER, (int)gridDim.x / CLUSTER, (words + DEPTH - 1) / DEPTH};
    const int wg = warp_uniform(threadIdx.x >> 7);
    if (threadIdx.x == 0) {
      tma_prefetch_map(input);
      tma_prefetch_map(weights);
      init_stages<STAGES>(full, empty, 8 * CLUSTER);  // every consumer warp of the cluster
    }
    cluster_sync();
    begin_kernel();
    produce_and_consume(product, wg);
  }
};

// words: d in units of 16 bits.
#define ENERGIES(NAME, EIGHT_BIT, BLOCK)                                                                      \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)                        \
      NAME(const __grid_constant__ TensorMap input, const __grid_constant__ TensorMap weights,                \
           const float* __restrict__ factors, float* __restrict__ sums, i64 stride, int tokens, int neurons,  \
           int words, int group) {                                                                            \
    extern __shared__ __align__(1024) u8 shared[];                                                            \
    const EnergySums to = {sums, stride, (tokens + BLOCK - 1) / BLOCK, neurons};                              \
    BlockEnergies<EIGHT_BIT, BLOCK>::run(&input, &weights, factors, to, tokens, words, group, shared);               \
  }

ENERGIES(block_energies_8, false, 8)
ENERGIES(block_energies_16, false, 16)
ENERGIES(block_energies_32, false, 32)
ENERGIES(block_energies_64, false, 64)
ENERGIES(block_energies_128, false, 128)
ENERGIES(block_energies_eight_bit_8, true, 8)
ENERGIES(block_energies_eight_bit_16, true, 16)
ENERGIES(block_energies_eight_bit_32, true, 32)
ENERGIES(block_energies_eight_bit_64, true, 64)
ENERGIES(block_energies_eight_bit_128, true, 128)
