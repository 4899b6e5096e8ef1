// Products 4 and 6 on Hopper, added in whatever order: dW[list(b)[j], n] += sum over the tokens p of block b of
// packed[p, j] rows[p, n], fp32. A slot that keeps its neuron from one block to the next carries its sums in
// registers: only slots whose neuron changes are added to memory. align_columns (AlignColumns.cu) orders lists so.
//
// An item is `span` consecutive token blocks, 128 slots and 256 columns. Two consumer warpgroups hold 64 slots each,
// accumulate block after block (wgmma, both operands MN-major, 64 tokens a stage), and at the end of a block pass the
// rows that end there through shared memory to red.global.add.v4.f32, 512 contiguous bytes of a row at a time. They
// take turns: while one adds, the other multiplies. Two blocks of a cluster share the rows (multicast) and have neighbouring slots.
//
// Launch: 384 threads, 231488 bytes of shared memory, grid a multiple of the cluster, at most the multiprocessors. Maps:
// packed [T, K] and rows [T, d] in token order, both box 64 x 64, 128-byte swizzle. V a multiple of 64, K and d of 64.
// `group`: so many tiles of columns are finished for all tokens before the next ones, so that what is added to stays
// in L2. Any lists are right; lists that are not aligned are only slower.
//
// Floor at T 32768, d 2048, f 8192, K 1024, V 128 [T 16384, d 4096, f 16384, K 2048: twice]: 0.17 ms of wgmma; P read
// once per group of columns, 0.54 GB, 0.18 ms at 3 TB/s; and 2.15 GB added where every slot changes with every block; L2
// adds about 2.5 TB/s, hence 0.86 ms. With a share c of slots changing and spans of 16 it is (1 + 15 c) / 16 of that.
// Lists of 124m in training have c 0.17 to 0.41, and 0.16 to 0.18 with feedForward.neighbourWeight 0.5.
// Reached on one H100 80GB HBM3 (700 W), 2026-11-25, Benchmarks/kernels/carried_gradients.py --time --variants, lists
// that change by 1: 0.86 ms, 1.6x cuBLAS [2.5, 1.1x]; by 0.3: 0.50, 2.8x [1.35, 2.05x]; by 0.15: 0.41, 3.3x [0.99, 2.8x];
// by 0 (the same lists): 0.28, 5.0x [0.52, 5.3x]; in groups of two 0.24, 5.8x [0.44, 6.3x]. V 256: by 1 0.59 ms, 2.3x
// [1.7, 1.7x]; by 0.3 0.38, 3.6x [0.92, 3.1x]. T 16384, d 2048, f 8192, by 0.15: 0.20 ms, 3.3x. T 16384 (49152), d 768, f
// 3072, by 0.15: 0.049 ms, 2.2x (0.099, 3.0x). align_columns: 0.016 to 0.026 ms; 0.046 to 0.072 with a scan for every
// 512 slots.
//
// Versions tried: three stages and no turns: 0.48 ms by 0.3 [1.30], 0.385 by 0.15 [0.92]; four stages without turns as
// with them: times of adding and of loading add up, both being L2's. Before, everything was added block by block,
// 128 x 128: 0.87 ms, whatever the lists [2.3]; V 256 0.57 [1.38]; and of that by cp.reduce.async.bulk, a 512-byte row
// each: 0.955 (31 ns per copy and SM, as for every small TMA transfer); by red.v4 straight from the accumulators, 32
// bytes of a row: 1.25.
#include "hopper/memory.cuh"
#include "hopper/wgmma.cuh"

constexpr int SLOTS = 128, COLUMNS = 256, DEPTH = 64, STAGES = 4;
constexpr u32 PANEL = DEPTH * 128;                          // 64 slots or columns of 64 tokens: 8 KiB
constexpr u32 SLOT_BYTES = 2 * PANEL, STAGE_BYTES = SLOT_BYTES + 4 * PANEL;
constexpr u32 PITCH = 128 * 4 + 32;                         // fp32 row on its way out: 8 banks of skew per row
constexpr u32 SHARED_STAGING = STAGES * STAGE_BYTES, SHARED_BARRIERS = SHARED_STAGING + 8 * 8 * PITCH;
static_assert(SHARED_BARRIERS + 16 * STAGES == 231488, "what a launch asks for");

struct CarryArguments {
  float* gradient;
  i64 gradient_stride;
  const u16* lists;
  int list_stride;
  int kept;          // K
  int width;         // d
  int tokens;        // T
  int block_tokens;  // V
  int span;          // token blocks of an item
  int group;
};

// Adds the rows of `ending` (a bit for each of the warp's 16), and clears them. Eight rows of 128 columns at a time.
DEV void add_rows(float (&acc)[128], u8* staging, u32 ending, int mine, float* to, i64 stride, int columns, int lane) {
  u8* const at = staging + (lane >> 2) * PITCH + (lane & 3) * 8;
#pragma unroll
  for (int upper = 0; upper < 2; ++upper) {
    const u32 rows = ending >> (8 * upper) & 0xffu;
    if (!rows) continue;
    const bool ends = rows >> (lane >> 2) & 1;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (ends) {
#pragma unroll
        for (int q = 0; q < 16; ++q)
          *(float2*)(at + q * 32) = make_float2(acc[half * 64 + q * 4 + 2 * upper], acc[half * 64 + q * 4 + 2 * upper + 1]);
      }
      __syncwarp();
      const bool inside = half * 128 + lane * 4 < columns;
      for (u32 left = rows; left;) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int r = __ffs((int)left) - 1;
          const int neuron = __shfl_sync(0xffffffffu, mine, (r & 7) + 8 * upper);
          if (r >= 0 && inside)
            red_add_v4(to + (i64)neuron * stride + half * 128 + lane * 4, *(const float4*)(staging + r * PITCH + lane * 16));
          left &= left - 1;  // 0 stays 0
        }
      }
      __syncwarp();
    }
#pragma unroll
    for (int i = 0; i < 64; ++i) {
      float& x = acc[(i >> 1) * 4 + 2 * upper + (i & 1)];
      x = ends ? 0.f : x;
    }
  }
}

template <int CLUSTER>
struct Carry {
  const CarryArguments& g;
  u32 base, full, empty;
  int rank, blocks, pieces, column_tiles, slot_tiles, items;

  DEV Carry(const CarryArguments& arguments, u32 shared, int cluster_rank_)
      : g(arguments), base(shared), full(shared + SHARED_BARRIERS), empty(full + 8 * STAGES), rank(cluster_rank_) {
    blocks = (g.tokens + g.block_tokens - 1) / g.block_tokens;
    pieces = (blocks + g.span - 1) / g.span;
    column_tiles = (g.width + COLUMNS - 1) / COLUMNS;
    slot_tiles = (g.kept + SLOTS * CLUSTER - 1) / (SLOTS * CLUSTER);
    items = pieces * column_tiles * slot_tiles;
  }

  // The blocks [first, last), the first slot and the first column of an item; slots change fastest.
  DEV void place(int item, int& first, int& last, int& slot, int& n0) const {
    const int per_group = pieces * slot_tiles * g.group, which = item / per_group, tile = which * g.group;
    const int wide = min(g.group, column_tiles - tile), rest = item - which * per_group, pair = rest / slot_tiles;
    slot = (rest - pair * slot_tiles) * (SLOTS * CLUSTER) + rank * SLOTS;
    n0 = (tile + pair % wide) * COLUMNS;
    first = pair / wide * g.span;
    last = min(blocks, first + g.span);
  }

  DEV void produce(const TensorMap* packed, const TensorMap* rows) const {  // one thread
    u32 stage = 0, parity = 1;
    for (int item = blockIdx.x / CLUSTER; item < items; item += gridDim.x / CLUSTER) {
      int first, last, slot, n0;
      place(item, first, last, slot, n0);
      const int end = min(last * g.block_tokens, (g.tokens + DEPTH - 1) / DEPTH * DEPTH);
      for (int p = first * g.block_tokens; p < end; p += DEPTH) {
        const u32 a = base + stage * STAGE_BYTES, r = a + SLOT_BYTES, bar = full + 8 * stage;
        mbar_wait(empty + 8 * stage, parity);
        mbar_arrive_expect_tx(bar, STAGE_BYTES);
        tma_load_2d(a, packed, slot, p, bar);
        tma_load_2d(a + PANEL, packed, slot + 64, p, bar);
#pragma unroll
        for (int i = 0; i < 4 / CLUSTER; ++i) {
          const int panel = rank * (4 / CLUSTER) + i;
          if (CLUSTER > 1) tma_load_2d_multicast(r + panel * PANEL, rows, n0 + panel * 64, p, bar, (1 << CLUSTER) - 1);
          else tma_load_2d(r + panel * PANEL, rows, n0 + panel * 64, p, bar);
        }
        if (++stage == STAGES) stage = 0, parity ^= 1;
      }
    }
    // The arrivals of the other block must have landed before this one's shared memory goes away.
    for (int s = 0; s < STAGES; ++s) {
      mbar_wait(empty + 8 * stage, parity);
      if (++stage == STAGES) stage = 0, parity ^= 1;
    }
  }

  DEV void release(u32 stage, int lane) const {  // one arrival per warp and block of the cluster
    if (CLUSTER == 1) {
      if (lane == 0) mbar_arrive(empty + 8 * stage);
    } else if (lane < CLUSTER) {
      mbar_arrive_cluster(empty + 8 * stage, lane);
    }
  }

  DEV void consume(int wg, u8* shared) const {
    const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
    u8* const staging = shared + SHARED_STAGING + (wg * 4 + warp) * 8 * PITCH;
    u32 stage = 0, parity = 0;
    float acc[128];
    if (wg == 1) bar_arrive(1, 256);  // the first block waits for nobody
    for (int item = blockIdx.x / CLUSTER; item < items; item += gridDim.x / CLUSTER) {
      int first, last, slot, n0;
      place(item, first, last, slot, n0);
      const int own = slot + wg * 64 + warp * 16 + (lane & 15);  // lane l and l + 16: slot l of the warp
      const u16* entry = g.lists + (i64)first * g.list_stride + own;
      int mine = own < g.kept ? (int)*entry : -1;
      for (int b = first; b < last; ++b) {
        entry += g.list_stride;
        const int next = b + 1 < last && own < g.kept ? (int)*entry : -1;
        const int parts = (min(g.block_tokens, g.tokens - b * g.block_tokens) + DEPTH - 1) / DEPTH;
        u32 previous = 0;
        bar_sync(1 + wg, 256);  // the tensor cores are the other warpgroup's, until it has only to wait and to add
        for (int part = 0; part < parts; ++part) {
          mbar_wait(full + 8 * stage, parity);
          const u64 da = descriptor_mn_major(base + stage * STAGE_BYTES + wg * PANEL, PANEL);
          const u64 db = descriptor_mn_major(base + stage * STAGE_BYTES + SLOT_BYTES, PANEL);
          wgmma_fence();
#pragma unroll
          for (int j = 0; j < DEPTH / 16; ++j)
            wgmma_m64n256k16<1, 1>(acc, da + j * (2048 >> 4), db + j * (2048 >> 4), b > first || part > 0 || j > 0);
          wgmma_commit();
          if (part + 1 == parts) bar_arrive(2 - wg, 256);
          wgmma_wait<1>();  // the stage before this one has been read
          if (part > 0) release(previous, lane);
          previous = stage;
          if (++stage == STAGES) stage = 0, parity ^= 1;
        }
        wgmma_wait<0>();
        release(previous, lane);
        const u32 ending = __ballot_sync(0xffffffffu, mine != next) & 0xffffu;
#pragma unroll
        for (int i = 0; i < 128; ++i) pin(acc[i]);
        if (ending) add_rows(acc, staging, ending, mine, g.gradient + n0, g.gradient_stride, g.width - n0, lane);
        mine = next;
      }
    }
  }

  DEV static void run(const TensorMap* packed, const TensorMap* rows, const CarryArguments& arguments, u8* shared) {
    const Carry product(arguments, shared_address(shared), CLUSTER > 1 ? (int)cluster_rank() : 0);
    const int wg = warp_uniform(threadIdx.x >> 7);
    if (threadIdx.x == 0) {
      tma_prefetch_map(packed), tma_prefetch_map(rows);
      for (int s = 0; s < STAGES; ++s) mbar_init(product.full + 8 * s, 1), mbar_init(product.empty + 8 * s, 8 * CLUSTER);
      fence_mbar_init();
    }
    if (CLUSTER > 1) cluster_sync();
    else __syncthreads();
    dependent_wait();
    if (wg == 2) {
      registers_decrease<24>();
      if (threadIdx.x == 256) product.produce(packed, rows);
    } else {
      registers_increase<240>();
      product.consume(wg, shared);
    }
    dependent_launch();
  }
};

#define CARRY(NAME, CLUSTER)                                                                                            \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)                                  \
      NAME(const __grid_constant__ TensorMap packed, const __grid_constant__ TensorMap rows, float* gradient,           \
           i64 gradient_stride, const u16* __restrict__ lists, int list_stride, int kept, int width, int tokens,        \
           int block_tokens, int span, int group) {                                                                     \
    extern __shared__ __align__(1024) u8 shared[];                                                                      \
    const CarryArguments arguments = {gradient, gradient_stride, lists, list_stride, kept, width, tokens, block_tokens, \
                                      span, group};                                                                     \
    Carry<CLUSTER>::run(&packed, &rows, arguments, shared);                                                             \
  }

CARRY(weight_gradient_carry_1, 1)
CARRY(weight_gradient_carry_2, 2)
