// Product 1 with 2:4 sparse weights on Hopper: the sparse tensor cores skip what is zero, twice the rate of dense ones.
//
//   two_four_compress       U [f, d], at most two of every four values of a row not zero, to images
//   two_four_squared_relu   out = max(X Uᵀ, 0)^2, X [T, d], out [T, f]; bf16, sums in fp32
//   two_four_block_energies sums of the same, or of their squares (energies.cuh), over 128 tokens, [ceil(T / 128), f] in fp32; nothing else is stored
//
// Only the left operand of the instruction can be sparse, so a block computes the transpose: 128 neurons x 256
// tokens, which the epilogue turns around on its way through shared memory. An image is what a stage of the ring wants
// of 128 neurons x 64 columns, in one piece: kept values, swizzled (8 KiB), then positions in the order of threads (1
// KiB). A ring of five stages: one producer thread copies the block's image and half of the rows of X that a cluster of
// two shares; two consumer warpgroups have 64 neurons each.
//
// Map of X: 128 rows x 64 columns, of out: 32 x 64; both 128-byte swizzle. two_four_compress: 256 threads, grid
// (ceil(d / 64), ceil(f / 128)), images of 9216 bytes in the order of the grid. two_four_squared_relu: 384 threads,
// 226384 bytes of shared memory, grid 2 min(tiles of 256 x 256, multiprocessors / 2). Strides, d and f multiples of 8.
//
// Floor at T 16384, d 4096, f 16384: 1100 dense GFLOP of the sparse rate, 1.11 ms at 989 x 2 TFLOP/s; shared memory
// hands over 18 KiB an instruction of 128 clocks, 144 bytes a clock of 128: 1.25 ms; the rest is power.
// Reached on one H100 80GB HBM3 (700 W), 2026-11-25, Benchmarks/kernels/two_four_products.py --time, in turns: compression
// + product | the dense kernel | cuSPARSELt 0.8, compression + its fastest algorithm's bare product, in ms:
//   T 16384, d 768, f 3072      0.006 + 0.086 | 0.117 | 0.047 + 0.45
//   T 16384, d 2048, f 8192     0.022 + 0.530 | 0.818 | 0.48 + 0.587
//   T 16384, d 4096, f 16384    0.075 + 2.04  | 3.106 | 2.53 + 2.157
// Block sums instead of values: 0.198, 0.512, 2.04 ms at T 49152, d 768 and the two larger ones (block_energies.py), where
// storing takes 0.252, 0.559, 2.06: power is what holds the largest back.
// So the library, whose compression alone costs most of a dense product, is not used.
#include "hopper/energies.cuh"
#include "hopper/memory.cuh"
#include "hopper/two_four_tiles.cuh"
#include "hopper/wgmma.cuh"

constexpr u32 VALUE_BYTES = NEURONS * 64, IMAGE_BYTES = VALUE_BYTES + NEURONS * 8;
using Tiles = TwoFourTiles<IMAGE_BYTES>;
constexpr int BLOCK = 128;  // tokens of a sum
constexpr u32 BUFFER_BYTES = 32 * 128;  // 32 tokens x 64 neurons of a warpgroup, on their way out
constexpr u32 SHARED_STAGING = STAGES * Tiles::STAGE_BYTES, SHARED_BARRIERS = SHARED_STAGING + 4 * BUFFER_BYTES;
static_assert(SHARED_BARRIERS + 16 * STAGES == 226384, "what a launch asks for, of 232448");

// A thread compresses 32 columns of a neuron.
extern "C" __global__ void __launch_bounds__(256)
two_four_compress(const bf16* __restrict__ weights, i64 stride, int neurons, int width, u8* __restrict__ images) {
  begin_kernel();
  const int r = threadIdx.x >> 1, half = threadIdx.x & 1, neuron = blockIdx.y * NEURONS + r;
  const int column = blockIdx.x * WORDS + half * 32;
  u8* const image = images + ((i64)blockIdx.y * gridDim.x + blockIdx.x) * IMAGE_BYTES;
  u32 pairs[16];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    uint4 v = make_uint4(0, 0, 0, 0);
    if (neuron < neurons && column + 8 * i < width) v = *(const uint4*)(weights + neuron * stride + column + 8 * i);
    pairs[4 * i] = v.x, pairs[4 * i + 1] = v.y, pairs[4 * i + 2] = v.z, pairs[4 * i + 3] = v.w;
  }
  u32 kept[8], positions = 0;
#pragma unroll
  for (int g = 0; g < 8; ++g) {
    const u32 low = pairs[2 * g], high = pairs[2 * g + 1];
    const u32 v[4] = {low & 0xffff, low >> 16, high & 0xffff, high >> 16};
    const bool is0 = v[0] & 0x7fff, is1 = v[1] & 0x7fff, is2 = v[2] & 0x7fff, is3 = v[3] & 0x7fff;
    // Two different positions, ascending, that cover all that is not zero.
    const u32 first = is0 ? 0 : is1 ? 1 : 2, second = is3 ? 3 : is2 && first < 2 ? 2 : is1 && first < 1 ? 1 : 3;
    const u32 a = first == 0 ? v[0] : first == 1 ? v[1] : v[2], b = second == 3 ? v[3] : second == 2 ? v[2] : v[1];
    kept[g] = a | b << 16;
    positions |= (first | second << 2) << (4 * g);
  }
  const int local = r & 63;
#pragma unroll
  for (int i = 0; i < 2; ++i)
    *(uint4*)(image + (r >> 6) * 4096 + two_four_chunk(local, half * 2 + i)) =
        make_uint4(kept[4 * i], kept[4 * i + 1], kept[4 * i + 2], kept[4 * i + 3]);
  const int thread = (r >> 6) * 128 + (local >> 4) * 32 + (local & 7) * 4 + 2 * half, below = local >> 3 & 1;
  u16* const words = (u16*)(image + VALUE_BYTES) + thread * 2 + below;
  words[0] = (u16)positions;
  words[2] = (u16)(positions >> 16);
}

// ENERGIES: block sums as in block_energies.cu instead of the values.
template <bool ENERGIES>
struct TwoFourProduct : Tiles {
  const TensorMap* out;
  EnergySums to;

  DEV void consume(int wg) const {
    const int lane = threadIdx.x & 31;
    TileRing<STAGES> ring(0);
    float acc[128];
    for (int tile = first_tile; tile < order.count(); tile += tile_step) {
      u32 previous = 0, even = 0, odd = 0;
      // The product reads the register of positions while it runs: two take turns, and the one before is kept until
      // the wait.
      auto step = [&](int k, u32& positions, u32& before) {
        mbar_wait(full + 8 * ring.stage, ring.parity);
        const u32 b = base + ring.stage * STAGE_BYTES, a = b + B_BYTES;
        positions = load_shared(a + VALUE_BYTES + threadIdx.x * 4);
        const u64 da = descriptor_two_four(a + wg * (64 * 64)), db = descriptor_k_major(b);
        wgmma_fence();
        wgmma_sparse_m64n256k32<0>(acc, da, db, positions, k > 0);
        wgmma_sparse_m64n256k32<1>(acc, da + (32 >> 4), db + (64 >> 4), positions, 1);
        wgmma_commit();
        wgmma_wait<1>();  // the stage before this one has been read
        pin(before);
        if (k > 0) release_stage<CLUSTER>(empty, previous, lane);
        previous = ring.stage;
        ring.advance();
      };
      for (int k = 0; k < depth; k += 2) {
        step(k, even, odd);
        if (k + 1 < depth) step(k + 1, odd, even);
      }
      int token, block;
      place(tile, token, block);
      wgmma_wait<0>();
      pin(even);
      pin(odd);
      release_stage<CLUSTER>(empty, previous, lane);
#pragma unroll
      for (int i = 0; i < 128; ++i) pin(acc[i]);
      if (ENERGIES) store_energies<BLOCK>(acc, to, token, block * NEURONS + wg * 64 + (threadIdx.x >> 5 & 3) * 16, 1.f);
      else store(acc, token, block * NEURONS + wg * 64, wg);
    }
    if (!ENERGIES && (threadIdx.x & 127) == 0) bulk_wait_read<0>();
  }

  // A warpgroup writes its 64 neurons x 256 tokens, 32 tokens at a time, transposed.
  DEV void store(const float (&acc)[128], int token, int neuron, int wg) const {
    const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
    const bool is_first = (threadIdx.x & 127) == 0;
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      const u32 buffer = base + SHARED_STAGING + (wg * 2 + (c & 1)) * BUFFER_BYTES;
      if (is_first) bulk_wait_read<1>();  // what was stored from this buffer before
      bar_sync(1 + wg, 128);
#pragma unroll
      for (int group = 0; group < 4; group += 2) {  // 8 tokens; one stmatrix covers 16 x 16 values
        u32 r[4];
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const float x = fmaxf(acc[c * 16 + group * 4 + 2 * j], 0.f), y = fmaxf(acc[c * 16 + group * 4 + 2 * j + 1], 0.f);
          r[j] = pack_bf16(x * x, y * y);
        }
        const int row = group * 8 + (lane >> 4) * 8 + (lane & 7), chunk = warp * 2 + (lane >> 3 & 1);
        stmatrix_transposed_x4(swizzled_chunk(buffer, row, chunk), r[0], r[1], r[2], r[3]);
      }
      fence_proxy_async();
      bar_sync(1 + wg, 128);
      if (is_first) {
        tma_store_2d(out, buffer, neuron, token + c * 32);
        bulk_commit();
      }
    }
  }

  DEV static void run(const u8* images, const TensorMap* input, const TensorMap* out, const EnergySums& to, int tokens,
                      int neurons, int width, int group, u8* shared) {
    const TwoFourProduct product = {
        Tiles(images, input, shared_address(shared), SHARED_BARRIERS, tokens, neurons, width, group), out, to};
    const int wg = warp_uniform(threadIdx.x >> 7);
    if (threadIdx.x == 0) {
      tma_prefetch_map(input);
      if (!ENERGIES) tma_prefetch_map(out);
      init_stages<STAGES>(product.full, product.empty, 8 * CLUSTER);  // every consumer warp of the cluster
    }
    cluster_sync();
    begin_kernel();
    produce_and_consume(product, wg);
  }
};

extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)
two_four_squared_relu(const u8* __restrict__ images, const __grid_constant__ TensorMap input,
                      const __grid_constant__ TensorMap out, int tokens, int neurons, int width, int group) {
  extern __shared__ __align__(1024) u8 shared[];
  TwoFourProduct<false>::run(images, &input, &out, EnergySums{}, tokens, neurons, width, group, shared);
}

extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)
two_four_block_energies(const u8* __restrict__ images, const __grid_constant__ TensorMap input, float* __restrict__ sums,
                        i64 stride, int tokens, int neurons, int width, int group) {
  extern __shared__ __align__(1024) u8 shared[];
  const EnergySums to = {sums, stride, (tokens + BLOCK - 1) / BLOCK, neurons};
  TwoFourProduct<true>::run(images, &input, nullptr, to, tokens, neurons, width, group, shared);
}
