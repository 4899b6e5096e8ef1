// Block sums with 2:4 sparse weights in 8 bits on Hopper: what selection chooses neurons by, at the highest rate there is.
//
//   sums[b, n] = sum over the B tokens t of block b of max(X_t · U_n, 0)^2, fp32 [ceil(T / B), f]
//   two_four_quantize       U [f, d] in bf16, at most two of every four values of a row not zero, to images in e4m3 and a
//                           factor for every neuron, by which its sums are multiplied
//   two_four_threshold      the same from U before its 2:4 soft threshold (soft_threshold.cuh), times `beta`, which it
//                           writes too, in bf16: one pass over U where two_four_quantize takes another
//   two_four_energies_B     X [T, d] in e4m3 by quantize_tokens of block_energies.cu; B 32, 64 or 128
//
// The sparse tensor cores skip what is zero of the left operand only, so that is U: a block computes 128 neurons x 256
// tokens, as in block_energies.cu, whose epilogue this shares. An image is what a stage of the ring wants of 128 neurons x
// 128 columns, in one piece: kept values, swizzled (8 KiB), then two words of positions for every consumer thread (2 KiB).
// A ring of five stages: one producer thread copies the block's image and half of the 256 rows of X that a cluster of two
// shares; two consumer warpgroups have 64 neurons each.
//
// Map of X: 64 columns of 16 bits (two e4m3 pass for one), 128 rows a box, 128-byte swizzle. two_four_quantize and
// two_four_threshold: 256 threads, grid 16 ceil(f / 128), images of 10240 bytes, ceil(d / 128) of every 128 neurons; d a
// multiple of 16.
// two_four_energies: 384 threads, 215120 bytes of shared memory, grid 2 min(tiles of 256 x 256, multiprocessors / 2).
//
// Floor at T 16384, d 4096, f 16384: 2200 dense GFLOP at four times 989 TFLOP/s, 0.56 ms; shared memory hands over 18 KiB
// an instruction of 128 clocks, 144 bytes a clock of 128: 0.63 ms; with what TMA writes there, 228 bytes: 1.0 ms (inferred).
// Reached on one H200, 2026-11-26, Benchmarks/kernels/block_energies.py --time, in turns: the product, [two_four_quantize],
// the same in e4m3 without zeros left out, in bf16 with, bf16; B 128, in ms:
//   T 49152, d 768, f 3072      0.121 [0.006]   0.188   0.214   0.325
//   T 16384, d 2048, f 8192     0.268 [0.022]   0.426   0.507   0.818
//   T 16384, d 4096, f 16384    1.053 [0.090]   1.683   2.030   3.280
// two_four_threshold instead of a threshold and two_four_quantize, and tokens in e4m3 by the norm: `krait bench ffn`, exact
// with 2:4 U by 8 bits, 5.88 to 5.12 ms with all of this (dense 18.4 and 18.2).
#include "hopper/eight_bit.cuh"
#include "hopper/energies.cuh"
#include "hopper/memory.cuh"
#include "hopper/two_four_tiles.cuh"
#include "hopper/wgmma.cuh"
#include "soft_threshold.cuh"

constexpr int COLUMNS = 2 * WORDS;
constexpr u32 VALUE_BYTES = NEURONS * COLUMNS / 2, IMAGE_BYTES = VALUE_BYTES + NEURONS * 16;
using Tiles = TwoFourTiles<IMAGE_BYTES>;
constexpr u32 SHARED_BARRIERS = STAGES * Tiles::STAGE_BYTES;
static_assert(SHARED_BARRIERS + 16 * STAGES == 215120, "what a launch asks for");

// Two values of every four, quantized, in the low 16 bits; their positions, in the next four.
DEV u32 keep_two(u32 low, u32 high, float scale) {
  const u32 v[4] = {low << 16, low & 0xffff0000u, high << 16, high & 0xffff0000u};
  const bool is0 = v[0] << 1, is1 = v[1] << 1, is2 = v[2] << 1, is3 = v[3] << 1;
  // Two different positions, ascending, that cover all that is not zero.
  const u32 first = is0 ? 0 : is1 ? 1 : 2, second = is3 ? 3 : is2 && first < 2 ? 2 : is1 && first < 1 ? 1 : 3;
  const float a = __uint_as_float(first == 0 ? v[0] : first == 1 ? v[1] : v[2]);
  const float b = __uint_as_float(second == 3 ? v[3] : second == 2 ? v[2] : v[1]);
  return (pack_e4m3(a * scale, b * scale, 0.f, 0.f) & 0xffff) | (first | second << 2) << 16;
}

DEV uint2 threshold_four(u32 low, u32 high, float beta) {
  const float w[4] = {low_f32(low), high_f32(low), low_f32(high), high_f32(high)};
  float shrunk[4];
  shrink_four(w, shrunk);
  return make_uint2(pack_bf16(beta * shrunk[0], beta * shrunk[1]), pack_bf16(beta * shrunk[2], beta * shrunk[3]));
}

// A warp for every neuron, also those that fill the last image; a lane has eight columns at a time. THRESHOLD: weights are
// thresholded, times beta, and written to `out` as well.
template <bool THRESHOLD>
DEV void quantize(const bf16* weights, i64 stride, bf16* out, i64 out_stride, int neurons, int width, float beta,
                  u8* images, float* factors) {
  begin_kernel();
  const int lane = threadIdx.x & 31, neuron = blockIdx.x * 8 + (threadIdx.x >> 5), local = neuron & 63;
  const int depth = (width + COLUMNS - 1) / COLUMNS, end = neuron < neurons ? width : 0;
  const auto read = [&](int c) {
    uint4 v = *(const uint4*)(weights + neuron * stride + c);
    if (THRESHOLD) {
      const uint2 low = threshold_four(v.x, v.y, beta), high = threshold_four(v.z, v.w, beta);
      v = make_uint4(low.x, low.y, high.x, high.y);
    }
    return v;
  };
  float most = 0;
#pragma unroll 4
  for (int c = lane * 8; c < end; c += 256) most = fmaxf(most, largest_magnitude(read(c)));
#pragma unroll
  for (int step = 16; step > 0; step >>= 1) most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, step));
  const float scale = neuron_scale(most);
  if (lane == 0 && neuron < neurons) factors[neuron] = sum_factor(scale);
  images += (i64)(neuron >> 7) * depth * IMAGE_BYTES;
  const int upper = neuron >> 6 & 1, thread = upper * 128 + (local >> 4) * 32 + (local & 7) * 4 + (local >> 3 & 1);
#pragma unroll 4
  for (int first = 0; first < depth * COLUMNS; first += 256) {
    const int c = first + lane * 8, within = c & (COLUMNS - 1);
    uint4 v = make_uint4(0, 0, 0, 0);
    if (c < end) {
      v = read(c);
      if (THRESHOLD) *(uint4*)(out + neuron * out_stride + c) = v;
    }
    const u32 low = keep_two(v.x, v.y, scale), high = keep_two(v.z, v.w, scale);
    u32 positions = (low >> 16 | high >> 16 << 4) << 8 * (lane & 3);
    positions |= __shfl_xor_sync(0xffffffffu, positions, 1);
    positions |= __shfl_xor_sync(0xffffffffu, positions, 2);
    if (c >= depth * COLUMNS) continue;  // the upper half of the warp, in the last turn
    u8* const image = images + (i64)(c / COLUMNS) * IMAGE_BYTES;
    *(u32*)(image + upper * 4096 + two_four_chunk(local, within >> 5) + (within >> 1 & 15)) = (low & 0xffff) | high << 16;
    // Lane bit 1 of a thread: which 32 columns of 64.
    if ((lane & 3) == 0)
      *(u32*)(image + VALUE_BYTES + (thread + 2 * (within >> 5 & 1)) * 8 + (within >> 6) * 4) = positions;
  }
}

extern "C" __global__ void __launch_bounds__(256)
two_four_quantize(const bf16* __restrict__ weights, i64 stride, int neurons, int width, u8* __restrict__ images,
                  float* __restrict__ factors) {
  quantize<false>(weights, stride, nullptr, 0, neurons, width, 1.f, images, factors);
}
extern "C" __global__ void __launch_bounds__(256)
two_four_threshold(const bf16* __restrict__ weights, i64 stride, bf16* __restrict__ out, i64 out_stride, int neurons,
                   int width, float beta, u8* __restrict__ images, float* __restrict__ factors) {
  quantize<true>(weights, stride, out, out_stride, neurons, width, beta, images, factors);
}

template <int BLOCK>
struct TwoFourEnergies : Tiles {
  const float* factors;
  EnergySums to;

  DEV void consume(int wg) const {
    const int lane = threadIdx.x & 31;
    TileRing<STAGES> ring(0);
    float acc[128];
    for (int tile = first_tile; tile < order.count(); tile += tile_step) {
      int token, block;
      place(tile, token, block);
      const int neuron = block * NEURONS + wg * 64 + (threadIdx.x >> 5 & 3) * 16;
      const int own = neuron + (lane >> 2) + 8 * (lane & 1);
      const float factor = own < to.neurons ? factors[own] : 1.f;
      u32 previous = 0, even[2] = {}, odd[2] = {};
      // The product reads the registers of positions while it runs: two pairs take turns, and the one before is kept
      // until the wait.
      auto step = [&](int k, u32 (&positions)[2], u32 (&before)[2]) {
        mbar_wait(full + 8 * ring.stage, ring.parity);
        const u32 b = base + ring.stage * STAGE_BYTES, a = b + B_BYTES;
        load_shared_pair(a + VALUE_BYTES + threadIdx.x * 8, positions[0], positions[1]);
        const u64 da = descriptor_two_four(a + wg * (64 * 64)), db = descriptor_k_major(b);
        wgmma_fence();
        wgmma_sparse_e4m3_m64n256k64(acc, da, db, positions[0], k > 0);
        wgmma_sparse_e4m3_m64n256k64(acc, da + (32 >> 4), db + (64 >> 4), positions[1], 1);
        wgmma_commit();
        wgmma_wait<1>();  // the stage before this one has been read
        pin(before[0]);
        pin(before[1]);
        if (k > 0) release_stage<CLUSTER>(empty, previous, lane);
        previous = ring.stage;
        ring.advance();
      };
      // The last of an odd depth stands apart: inside of the loop it makes the compiler copy positions while products run.
      int k = 0;
      for (; k + 1 < depth; k += 2) {
        step(k, even, odd);
        step(k + 1, odd, even);
      }
      if (k < depth) step(k, even, odd);
      wgmma_wait<0>();
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        pin(even[i]);
        pin(odd[i]);
      }
      release_stage<CLUSTER>(empty, previous, lane);
#pragma unroll
      for (int i = 0; i < 128; ++i) pin(acc[i]);
      store_energies<BLOCK>(acc, to, token, neuron, factor);
    }
  }

  DEV static void run(const u8* images, const TensorMap* input, const float* factors, const EnergySums& to, int tokens,
                      int words, int group, u8* shared) {
    const TwoFourEnergies product = {
        Tiles(images, input, shared_address(shared), SHARED_BARRIERS, tokens, to.neurons, words, group), factors, to};
    const int wg = warp_uniform(threadIdx.x >> 7);
    if (threadIdx.x == 0) {
      tma_prefetch_map(input);
      init_stages<STAGES>(product.full, product.empty, 8 * CLUSTER);  // every consumer warp of the cluster
    }
    cluster_sync();
    begin_kernel();
    produce_and_consume(product, wg);
  }
};

// words: d in units of 16 bits.
#define ENERGIES(BLOCK)                                                                                          \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)                           \
      two_four_energies_##BLOCK(const u8* __restrict__ images, const __grid_constant__ TensorMap input,          \
                                const float* __restrict__ factors, float* __restrict__ sums, i64 stride,         \
                                int tokens, int neurons, int words, int group) {                                 \
    extern __shared__ __align__(1024) u8 shared[];                                                               \
    const EnergySums to = {sums, stride, (tokens + BLOCK - 1) / BLOCK, neurons};                                 \
    TwoFourEnergies<BLOCK>::run(images, &input, factors, to, tokens, words, group, shared);                      \
  }

ENERGIES(32)
ENERGIES(64)
ENERGIES(128)
