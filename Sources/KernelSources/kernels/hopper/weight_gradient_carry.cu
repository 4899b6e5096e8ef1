// Products 4 and 6 on Hopper: dW[list(b)[j], n] += sum over the tokens p of block b of packed[p, j] rows[p, n],
// fp32. A slot that keeps its neuron from one block to the next carries its sums in registers: a run. align_columns
// (AlignColumns.cu) orders lists so that runs are long. carry_add adds a run to its neuron's row where it ends, in
// whatever order; carry_store leaves it in memory of its own, for weight_gradient_runs.cu to add in order.
//
// An item is `span` consecutive token blocks, 128 slots and 256 columns. Two consumer warpgroups hold 64 slots each
// and accumulate block after block (wgmma, both operands MN-major, 64 tokens a stage). At the end of a block every
// warp writes its rows that end there to shared memory, from where the copy engine adds them to memory (or stores
// them), 1 KiB at a time, while the warp goes on. Blocks of a cluster have neighbouring slots, and share rows, or
// neighbouring columns, and share packed values (multicast).
//
// Launch: 384 threads, 215088 bytes of shared memory, grid a multiple of the cluster, at most the clusters that run at
// once (of an H100's 132 multiprocessors: 66 clusters of 2, 39 of 3, 30 of 4). Maps: packed [T, K] and rows [T, d] in
// token order, both box 64 x 64, 128-byte swizzle. V a multiple of 64, K and d of 64. `group`: so many tiles of columns
// (of a cluster) are finished for all tokens before the next ones, so that what is added to stays in L2. Any lists are
// right; lists that are not aligned are only slower.
//
// Floor at T 32768, d 2048, f 8192, K 1024, V 128 [T 16384, d 4096, f 16384, K 2048: twice]: 0.17 ms of wgmma. With a
// share c of slots changing and spans of s blocks (1 + (s - 1) c) / s of 2.15 GB is added. Nsight Compute, lists that
// change by 0.15: the path between the two halves of L2 is busy for 85% of the time (half of what is added crosses it,
// and what is loaded once, packed values once per group), DRAM for 60% [66%], wgmma for 38%.
// Reached on one H100 80GB HBM3 (700 W), 2026-11-25, as CUDA graphs in turns with cuBLAS, lists that change by 0.15,
// clusters of two by slots, spans of 32, groups of two: 0.343 ms, 4.1x cuBLAS [0.836 ms, 3.6x]; spans of 16: 0.373, 3.8x
// [0.864, 3.5x]. T 16384 [49152], d 2048, f 8192: 0.180 ms, 3.7x [0.528, 3.8x]. T 49152, d 768, f 3072, clusters of three,
// spans of 16: 0.086 ms, 3.5x. The same lists again and again: 0.22 ms, 6.5x; nothing added inside of items: 0.27 ms.
// One H200, 2026-11-26, spans of 32, lists that change by 0.12: clusters of two by columns 0.293 ms, 4.6x [0.598, 4.6x], by
// slots 0.301, 4.45x [0.628, 4.4x; nothing added 0.256, 0.516]; of four and eight, the better of three and four stages,
// 0.358 [0.660]. By slots, change 0.08: 0.286, 4.7x [0.580, 4.7x]; 0.16: 0.312, 4.3x [0.647, 4.25x]; V 256, change 0.12: 0.251,
// 5.3x [0.521, 5.3x]. Without L2 hints for what is added 1% less.
//
// Versions tried at the same lists: red.global.add.v4.f32 by the warps themselves, the warpgroups taking turns, four
// stages, spans of 16: 0.426 ms [0.98]; without turns 0.435; with L2 hints 0.428 [0.926]; three stages, 16 rows at a
// time, hints 0.404 [0.869]. Bulk adds with four stages and room for four rows 0.383 [0.943], in turns 0.382. Clusters of
// four: 2 x 2 0.40 [0.807], 4 x 1 0.41; of eight, 4 x 2: 0.406 [0.792; spans of 32 0.768, four stages 0.746]: they load
// half as much, but leave 12 multiprocessors idle. Everything added block by block: 0.87 ms, whatever the lists [2.3].
// On an H200: six stages of 32 tokens, all 22 launches of a training step of 110 million parameters, 1.89 ms instead of
// 1.92; seven of them with room for six rows 1.92; three warpgroups of 64 slots with 192 columns, first shape, 0.354 to
// 0.361 ms instead of 0.360 to 0.365.
#include "hopper/memory.cuh"
#include "hopper/wgmma.cuh"

constexpr int SLOTS = 128, COLUMNS = 256, DEPTH = 64, STAGES = 3, ROWS = 8;
constexpr u32 PANEL = DEPTH * 128;                          // 64 slots or columns of 64 tokens: 8 KiB
constexpr u32 SLOT_BYTES = 2 * PANEL, STAGE_BYTES = SLOT_BYTES + 4 * PANEL;
constexpr u32 PITCH = COLUMNS * 4 + 32;                     // fp32 row on its way out: 8 banks of skew per row
constexpr u32 SHARED_STAGING = STAGES * STAGE_BYTES, SHARED_BARRIERS = SHARED_STAGING + 8 * ROWS * PITCH;
static_assert(SHARED_BARRIERS + 16 * STAGES == 215088, "what a launch asks for");

struct CarryArguments {
  float* output;     // the gradient, or room for runs
  i64 output_stride;
  const u16* lists;
  i64 list_stride;
  int kept;          // K
  int width;         // d
  int tokens;        // T
  int block_tokens;  // V
  int span;          // token blocks of an item
  int group;
};

// Sends out the rows of `ending` (a bit for each of the warp's 16), and clears them. Lane l below 16 knows where row
// l goes. Up to ROWS rows lie in `staging` at a time; what lay there before has been read when the next ones come.
template <bool STORES>
DEV void send_rows(float (&acc)[128], u8* staging, u32 ending, float* to, u32 bytes, int lane) {
  const auto before = [ending](int row) {  // ending rows ahead of a row; a large number for one that does not end
    return ending >> row & 1 ? __popc(ending & ((1u << row) - 1)) : 64;
  };
  const int low = before(lane >> 2), high = before((lane >> 2) + 8), own = lane < 16 ? before(lane) : 64;
  const int count = __popc(ending);
  u8* const cell = staging + (lane & 3) * 8;
  for (int first = 0; first < count; first += ROWS) {
    bulk_wait_read<0>();
    __syncwarp();
    if ((u32)(low - first) < ROWS) {
      u8* const at = cell + (low - first) * PITCH;
#pragma unroll
      for (int q = 0; q < 32; ++q) *(float2*)(at + q * 32) = make_float2(acc[q * 4], acc[q * 4 + 1]);
    }
    if ((u32)(high - first) < ROWS) {
      u8* const at = cell + (high - first) * PITCH;
#pragma unroll
      for (int q = 0; q < 32; ++q) *(float2*)(at + q * 32) = make_float2(acc[q * 4 + 2], acc[q * 4 + 3]);
    }
    fence_proxy_async();
    __syncwarp();
    if ((u32)(own - first) < ROWS && bytes > 0) {
      const u32 from = shared_address(staging + (own - first) * PITCH);
      if (STORES) bulk_store(to, from, bytes);
      else bulk_add(to, from, bytes, EVICT_LAST);
    }
    bulk_commit();
  }
#pragma unroll
  for (int i = 0; i < 128; ++i) acc[i] = (i & 2 ? high : low) < 64 ? 0.f : acc[i];
}

// A cluster is BY_SLOTS x BY_COLUMNS blocks of neighbouring slots (fastest) and columns.
template <int BY_SLOTS, int BY_COLUMNS, bool STORES>
struct Carry {
  static constexpr int CLUSTER = BY_SLOTS * BY_COLUMNS;
  const CarryArguments& g;
  u32 base, full, empty;
  int slot_rank, column_rank, blocks, pieces, column_tiles, slot_tiles, items;

  DEV Carry(const CarryArguments& arguments, u32 shared, int rank)
      : g(arguments), base(shared), full(shared + SHARED_BARRIERS), empty(full + 8 * STAGES),
        slot_rank(rank % BY_SLOTS), column_rank(rank / BY_SLOTS) {
    blocks = (g.tokens + g.block_tokens - 1) / g.block_tokens;
    pieces = (blocks + g.span - 1) / g.span;
    column_tiles = (g.width + COLUMNS * BY_COLUMNS - 1) / (COLUMNS * BY_COLUMNS);
    slot_tiles = (g.kept + SLOTS * BY_SLOTS - 1) / (SLOTS * BY_SLOTS);
    items = pieces * column_tiles * slot_tiles;
  }

  // The blocks [first, last), the first slot and the first column of an item; slots change fastest.
  DEV void place(int item, int& first, int& last, int& slot, int& n0) const {
    const int per_group = pieces * slot_tiles * g.group, which = item / per_group, tile = which * g.group;
    const int wide = min(g.group, column_tiles - tile), rest = item - which * per_group, pair = rest / slot_tiles;
    slot = (rest - pair * slot_tiles) * (SLOTS * BY_SLOTS) + slot_rank * SLOTS;
    n0 = (tile + pair % wide) * (COLUMNS * BY_COLUMNS) + column_rank * COLUMNS;
    first = pair / wide * g.span;
    last = min(blocks, first + g.span);
  }

  DEV void produce(const TensorMap* packed, const TensorMap* rows) const {  // one thread
    constexpr u32 FIRST_COLUMN = (1 << BY_SLOTS) - 1, FIRST_SLOT = (BY_COLUMNS > 1 ? 1 << BY_SLOTS : 0) | 1;
    static_assert(BY_COLUMNS <= 2, "two panels of packed values");
    const u16 same_slots = FIRST_SLOT << slot_rank, same_columns = FIRST_COLUMN << (BY_SLOTS * column_rank);
    u32 stage = 0, parity = 1;
    for (int item = blockIdx.x / CLUSTER; item < items; item += gridDim.x / CLUSTER) {
      int first, last, slot, n0;
      place(item, first, last, slot, n0);
      const int end = min(last * g.block_tokens, (g.tokens + DEPTH - 1) / DEPTH * DEPTH);
      for (int p = first * g.block_tokens; p < end; p += DEPTH) {
        const u32 a = base + stage * STAGE_BYTES, r = a + SLOT_BYTES, bar = full + 8 * stage;
        mbar_wait(empty + 8 * stage, parity);
        mbar_arrive_expect_tx(bar, STAGE_BYTES);
#pragma unroll
        for (int panel = 0; panel < 2; ++panel) {
          if (panel % BY_COLUMNS != column_rank) continue;
          const u32 to = a + panel * PANEL;
          if (BY_COLUMNS > 1) tma_load_2d_multicast(to, packed, slot + panel * 64, p, bar, same_slots, EVICT_FIRST);
          else tma_load_2d(to, packed, slot + panel * 64, p, bar, EVICT_FIRST);
        }
#pragma unroll
        for (int panel = 0; panel < 4; ++panel) {
          if (panel % BY_SLOTS != slot_rank) continue;
          const u32 to = r + panel * PANEL;
          if (BY_SLOTS > 1) tma_load_2d_multicast(to, rows, n0 + panel * 64, p, bar, same_columns);
          else tma_load_2d(to, rows, n0 + panel * 64, p, bar);
        }
        if (++stage == STAGES) stage = 0, parity ^= 1;
      }
    }
    // The arrivals of the other blocks must have landed before this one's shared memory goes away.
    for (int s = 0; s < STAGES; ++s) {
      mbar_wait(empty + 8 * stage, parity);
      if (++stage == STAGES) stage = 0, parity ^= 1;
    }
  }

  // One arrival per warp and block that fills this one's stages.
  DEV void release(u32 stage, int lane) const {
    if (CLUSTER == 1) {
      if (lane == 0) mbar_arrive(empty + 8 * stage);
    } else if (lane < CLUSTER && (lane % BY_SLOTS == slot_rank || lane / BY_SLOTS == column_rank)) {
      mbar_arrive_cluster(empty + 8 * stage, lane);
    }
  }

  DEV void consume(int wg, u8* shared) const {
    const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
    u8* const staging = shared + SHARED_STAGING + (wg * 4 + warp) * ROWS * PITCH;
    u32 stage = 0, parity = 0;
    float acc[128];
    for (int item = blockIdx.x / CLUSTER; item < items; item += gridDim.x / CLUSTER) {
      int first, last, slot, n0;
      place(item, first, last, slot, n0);
      const int own = slot + wg * 64 + warp * 16 + (lane & 15);  // lane l and l + 16: slot l of the warp
      const u16* entry = g.lists + first * g.list_stride + own;
      const u32 bytes = max(0, min(g.width - n0, COLUMNS)) * 4;
      int mine = own < g.kept ? (int)*entry : -1;
      for (int b = first; b < last; ++b) {
        entry += g.list_stride;
        const int next = b + 1 < last && own < g.kept ? (int)*entry : -1;
        const int parts = (min(g.block_tokens, g.tokens - b * g.block_tokens) + DEPTH - 1) / DEPTH;
        u32 previous = 0;
        for (int part = 0; part < parts; ++part) {
          mbar_wait(full + 8 * stage, parity);
          const u64 da = descriptor_mn_major(base + stage * STAGE_BYTES + wg * PANEL, PANEL);
          const u64 db = descriptor_mn_major(base + stage * STAGE_BYTES + SLOT_BYTES, PANEL);
          wgmma_fence();
#pragma unroll
          for (int j = 0; j < DEPTH / 16; ++j)
            wgmma_m64n256k16<1, 1>(acc, da + j * (2048 >> 4), db + j * (2048 >> 4), b > first || part > 0 || j > 0);
          wgmma_commit();
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
        if (ending) {
          const i64 row = STORES ? (i64)b * g.kept + own : mine;
          send_rows<STORES>(acc, staging, ending, g.output + row * g.output_stride + n0, bytes, lane);
        }
        mine = next;
      }
    }
    bulk_wait_read<0>();
  }

  DEV static void run(const TensorMap* packed, const TensorMap* rows, const CarryArguments& arguments, u8* shared) {
    const Carry product(arguments, shared_address(shared), CLUSTER > 1 ? (int)cluster_rank() : 0);
    const int wg = warp_uniform(threadIdx.x >> 7);
    if (threadIdx.x == 0) {
      tma_prefetch_map(packed), tma_prefetch_map(rows);
      init_stages<STAGES>(product.full, product.empty, 8 * (BY_SLOTS + BY_COLUMNS - 1));
    }
    if (CLUSTER > 1) cluster_sync();
    else __syncthreads();
    begin_kernel();
    if (wg == 2) {
      registers_decrease<24>();
      if (threadIdx.x == 256) product.produce(packed, rows);
    } else {
      registers_increase<240>();
      product.consume(wg, shared);
    }
  }
};

#define CARRY(NAME, BY_SLOTS, BY_COLUMNS, STORES)                                                                       \
  extern "C" __global__ void __cluster_dims__(BY_SLOTS* BY_COLUMNS, 1, 1) __launch_bounds__(384, 1)                     \
      NAME##_##BY_SLOTS##_##BY_COLUMNS(                                                                                 \
          const __grid_constant__ TensorMap packed, const __grid_constant__ TensorMap rows, float* output,              \
          i64 output_stride, const u16* __restrict__ lists, i64 list_stride, int kept, int width, int tokens,           \
          int block_tokens, int span, int group) {                                                                      \
    extern __shared__ __align__(1024) u8 shared[];                                                                      \
    const CarryArguments arguments = {output, output_stride, lists, list_stride, kept, width, tokens, block_tokens,     \
                                      span, group};                                                                     \
    Carry<BY_SLOTS, BY_COLUMNS, STORES>::run(&packed, &rows, arguments, shared);                                        \
  }

CARRY(carry_add, 1, 1, false)
CARRY(carry_add, 2, 1, false)
CARRY(carry_add, 3, 1, false)
CARRY(carry_add, 1, 2, false)
CARRY(carry_store, 1, 1, true)
CARRY(carry_store, 2, 1, true)
CARRY(carry_store, 3, 1, true)
CARRY(carry_store, 1, 2, true)
