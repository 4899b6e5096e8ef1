// Products 4 and 6 on Hopper, reproducible: dW[list(b)[j], n] += sum over the tokens p of block b of
// packed[p, j] rows[p, n], fp32, blocks in ascending order, no atomics.
//
// A block owns `neurons` (at most 448) consecutive neurons and 64 columns, keeps their sums in shared memory and
// goes through all token blocks. A list is ascending, so the neurons of a token block are one stretch of its
// packed columns: list_starts finds the stretches first. A visit is 64 slots of a stretch: TMA brings the packed
// values and the rows; each of two consumer warpgroups owns 32 of the columns, multiplies (both operands MN-major) and
// adds to its sums, and never waits for the other. Two blocks of a cluster have the same neurons and neighbouring
// columns, and share the packed values (multicast). `neurons` is best where a stretch rarely has more than 64 slots:
// 52 f / K rounded down to a multiple of 8, at most 448.
//
// Launch: list_starts with grid `blocks`; then 384 threads, 213040 bytes of shared memory, grid a multiple of the
// cluster, at most the multiprocessors; items = ceil(f / neurons) * ceil(d / (64 cluster)). Maps: packed [T, K], box 64 x
// (128 / cluster), and rows [T, d], box 64 x 128, in token order, 128-byte swizzle. V a multiple of 128, K of 8, d of 4.
// starts: u16 [blocks, ceil(f / neurons) + 1].
//
// Floor at T 32768, d 2048, f 8192, K 1024, V 128, per 64 slots x 64 columns of a token block: 256 clocks of wgmma
// at full rate, but about 900 of the shared-memory port (32 KiB in, 48 KiB to wgmma, 32 KiB of sums read and
// written), 0.5 ms in all; and 4.1 GB through L2, 0.7 ms at 6 TB/s [T 16384, d 4096, f 16384, K 2048: twice].
// Checked on an H100, 2026-11-25 (sparse_products.py --check: errors below 3e-7, equal runs); not timed yet.
//
// Versions tried (one H100 80GB HBM3, 700 W, sparse_products.py --time --only gradient --variants, in turns with
// cuBLAS): both warpgroups on all 64 columns, taking turns in the order of visits, no cluster: 448 neurons 1.43 ms, 0.94x
// dense [2.73 ms, 1.11x]; 384: 1.44 [2.75]; 320: 1.65 [3.42]; 256: 1.82 [4.27]. The first version started boxes at any
// slot and raised an illegal instruction: TMA wants every start at a multiple of 16 bytes; hence `skip`.
#include "hopper/memory.cuh"
#include "hopper/wgmma.cuh"

constexpr int SLOTS = 64, COLUMNS = 64, DEPTH = 128, MAXIMUM_NEURONS = 448, STAGES = 3;
constexpr u32 PANEL = DEPTH * 128, STAGE_BYTES = 2 * PANEL;  // 64 slots and 64 columns of 128 tokens
constexpr u32 SUM_BYTES = COLUMNS * 4;                       // a neuron's sums
constexpr u32 SHARED_SUMS = STAGES * STAGE_BYTES, SHARED_BARRIERS = SHARED_SUMS + MAXIMUM_NEURONS * SUM_BYTES;
static_assert(SHARED_BARRIERS + 16 * STAGES == 213040, "what a launch asks for");

// starts[b, r]: the first slot of block b's list with a neuron of range r or later.
extern "C" __global__ void list_starts(const u16* __restrict__ lists, int list_stride, int kept, int neurons, int ranges,
                                       u16* __restrict__ starts) {
  const u16* list = lists + (i64)blockIdx.x * list_stride;
  for (int r = threadIdx.x; r <= ranges; r += blockDim.x) {
    int low = 0, high = kept;
    while (low < high) {
      const int middle = (low + high) >> 1;
      if (list[middle] < r * neurons) low = middle + 1;
      else high = middle;
    }
    starts[(i64)blockIdx.x * (ranges + 1) + r] = (u16)low;
  }
}

// A warp's window on the stretches of one range: lane l holds block first + l.
struct Stretches {
  const u16* starts;
  int ranges, blocks, range, first, low, high;
  DEV Stretches(const u16* s, int r, int b) : starts(s), ranges(r), blocks(b), range(0), first(0), low(0), high(0) {}
  DEV void load(int block, int lane) {
    first = block;
    const u16* at = starts + (i64)min(block + lane, blocks - 1) * (ranges + 1) + range;
    low = at[0], high = at[1];
  }
  DEV void start(int r, int lane) { range = r, load(0, lane); }
  // A stretch is slots [skip, count) after `from`. TMA wants every row's start at 16 bytes, so `from` is the
  // multiple of 8 below the first slot, and the slots before `skip` belong to the range before this one.
  DEV void get(int block, int lane, int& from, int& skip, int& count) {
    if (block - first == 32) load(block, lane);
    const int a = __shfl_sync(0xffffffffu, low, block - first), b = __shfl_sync(0xffffffffu, high, block - first);
    from = a & ~7, skip = a & 7, count = b > a ? b - from : 0;
  }
};

// Adds 16 x 32 products of a warp to the sums of its rows. The four quads of half a warp touch four different
// 32-byte pieces of 128 bytes at every step, whatever their neurons: no bank conflicts. Hence the rotation.
DEV void add_rows(const float (&acc)[16], u8* sums, int row0, int row1, int lane) {  // row -1: none
  const int turn = (lane >> 2) & 3;
  float v[4][4], t[4][4];
#pragma unroll
  for (int j = 0; j < 4; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) t[j][i] = turn & 1 ? acc[((j + 1) & 3) * 4 + i] : acc[j * 4 + i];
#pragma unroll
  for (int j = 0; j < 4; ++j)
#pragma unroll
    for (int i = 0; i < 4; ++i) v[j][i] = turn & 2 ? t[(j + 2) & 3][i] : t[j][i];
  float2 a[4], b[4];
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const int at = ((j + turn) & 3) * 32 + (lane & 3) * 8;
    if (row0 >= 0) a[j] = *(const float2*)(sums + row0 + at);
    if (row1 >= 0) b[j] = *(const float2*)(sums + row1 + at);
  }
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const int at = ((j + turn) & 3) * 32 + (lane & 3) * 8;
    if (row0 >= 0) *(float2*)(sums + row0 + at) = make_float2(a[j].x + v[j][0], a[j].y + v[j][1]);
    if (row1 >= 0) *(float2*)(sums + row1 + at) = make_float2(b[j].x + v[j][2], b[j].y + v[j][3]);
  }
}

struct InOrderArguments {
  float* gradient;
  i64 gradient_stride;
  const u16* lists;
  int list_stride;
  const u16* starts;
  int neurons;       // of a range
  int all_neurons;   // f
  int width;         // d
  int tokens;        // T
  int block_tokens;  // V
};

template <int CLUSTER>
struct InOrder {
  const InOrderArguments& g;
  u32 base, full, empty;
  int rank, blocks, parts, ranges, items;

  DEV InOrder(const InOrderArguments& arguments, u32 shared, int cluster_rank_)
      : g(arguments), base(shared), full(shared + SHARED_BARRIERS), empty(full + 8 * STAGES), rank(cluster_rank_) {
    blocks = (g.tokens + g.block_tokens - 1) / g.block_tokens;
    parts = g.block_tokens / DEPTH;
    ranges = (g.all_neurons + g.neurons - 1) / g.neurons;
    items = ranges * ((g.width + COLUMNS * CLUSTER - 1) / (COLUMNS * CLUSTER));
  }
  DEV int first_column(int item) const { return (item / ranges * CLUSTER + rank) * COLUMNS; }

  DEV void produce(const TensorMap* packed, const TensorMap* rows, int lane) const {  // one warp
    Stretches stretches(g.starts, ranges, blocks);
    u32 stage = 0, parity = 1;
    for (int item = blockIdx.x / CLUSTER; item < items; item += gridDim.x / CLUSTER) {
      stretches.start(item % ranges, lane);
      for (int b = 0; b < blocks; ++b) {
        int from, skip, count;
        stretches.get(b, lane, from, skip, count);
        for (int s = 0; s < count; s += SLOTS) {
          for (int part = 0; part < parts; ++part) {
            mbar_wait(empty + 8 * stage, parity);
            if (elect_one()) {
              const u32 a = base + stage * STAGE_BYTES, bar = full + 8 * stage;
              const int p = b * g.block_tokens + part * DEPTH, share = DEPTH / CLUSTER;
              mbar_arrive_expect_tx(bar, STAGE_BYTES);
              if (CLUSTER > 1)
                tma_load_2d_multicast(a + rank * share * 128, packed, from + s, p + rank * share, bar, (1 << CLUSTER) - 1);
              else
                tma_load_2d(a, packed, from + s, p, bar);
              tma_load_2d(a + PANEL, rows, first_column(item), p, bar);
            }
            if (++stage == STAGES) stage = 0, parity ^= 1;
          }
        }
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
    const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31, tid = threadIdx.x & 127;
    u8* const sums = shared + SHARED_SUMS + wg * 128;  // this warpgroup's 32 columns of every row
    Stretches stretches(g.starts, ranges, blocks);
    u32 stage = 0, parity = 0;
    float acc[16];
    for (int i = tid; i < g.neurons * 8; i += 128) *(float4*)(sums + (i >> 3) * SUM_BYTES + (i & 7) * 16) = make_float4(0.f, 0.f, 0.f, 0.f);
    for (int item = blockIdx.x / CLUSTER; item < items; item += gridDim.x / CLUSTER) {
      const int n0 = first_column(item) + wg * 32, neuron0 = item % ranges * g.neurons;
      stretches.start(item % ranges, lane);
      for (int b = 0; b < blocks; ++b) {
        int from, skip, count;
        stretches.get(b, lane, from, skip, count);
        const u16* list = g.lists + (i64)b * g.list_stride + from;
        for (int s = 0; s < count; s += SLOTS) {
          const int slot = s + warp * 16 + (lane >> 2);
          const int row0 = slot >= skip && slot < count ? (list[slot] - neuron0) * (int)SUM_BYTES : -1;
          const int row1 = slot + 8 < count ? (list[slot + 8] - neuron0) * (int)SUM_BYTES : -1;
          for (int part = 0; part < parts; ++part) {
            mbar_wait(full + 8 * stage, parity);
            const u64 da = descriptor_mn_major(base + stage * STAGE_BYTES, PANEL);
            const u64 db = descriptor_mn_major(base + stage * STAGE_BYTES + PANEL + wg * 64, PANEL);
            wgmma_fence();
#pragma unroll
            for (int j = 0; j < DEPTH / 16; ++j)
              wgmma_m64n32k16<1, 1>(acc, da + j * (2048 >> 4), db + j * (2048 >> 4), part > 0 || j > 0);
            wgmma_commit();
            wgmma_wait<0>();
            release(stage, lane);
            if (++stage == STAGES) stage = 0, parity ^= 1;
          }
#pragma unroll
          for (int i = 0; i < 16; ++i) pin(acc[i]);
          bar_sync(1 + wg, 128);  // the visit before has been added: its neurons may have been another warp's
          if (s + warp * 16 < count) add_rows(acc, sums, row0, row1, lane);
        }
      }
      bar_sync(1 + wg, 128);      // all sums of the item are complete
      for (int i = tid; i < g.neurons * 8; i += 128) {
        const int neuron = neuron0 + (i >> 3), n = n0 + (i & 7) * 4;
        float4* const at = (float4*)(sums + (i >> 3) * SUM_BYTES + (i & 7) * 16);
        const float4 v = *at;
        *at = make_float4(0.f, 0.f, 0.f, 0.f);
        if (neuron < g.all_neurons && n < g.width) {
          float4* const to = (float4*)(g.gradient + (i64)neuron * g.gradient_stride + n);
          const float4 w = *to;
          *to = make_float4(w.x + v.x, w.y + v.y, w.z + v.z, w.w + v.w);
        }
      }
    }
  }

  DEV static void run(const TensorMap* packed, const TensorMap* rows, const InOrderArguments& arguments, u8* shared) {
    const InOrder product(arguments, shared_address(shared), CLUSTER > 1 ? (int)cluster_rank() : 0);
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
      registers_decrease<40>();
      if (threadIdx.x < 288) product.produce(packed, rows, threadIdx.x & 31);
    } else {
      registers_increase<232>();
      product.consume(wg, shared);
    }
    dependent_launch();
  }
};

#define IN_ORDER(NAME, CLUSTER)                                                                                          \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)                                   \
      NAME(const __grid_constant__ TensorMap packed, const __grid_constant__ TensorMap rows, float* gradient,            \
           i64 gradient_stride, const u16* __restrict__ lists, int list_stride, const u16* __restrict__ starts,          \
           int neurons, int all_neurons, int width, int tokens, int block_tokens) {                                      \
    extern __shared__ __align__(1024) u8 shared[];                                                                       \
    const InOrderArguments arguments = {gradient, gradient_stride, lists, list_stride, starts, neurons, all_neurons,     \
                                        width, tokens, block_tokens};                                                    \
    InOrder<CLUSTER>::run(&packed, &rows, arguments, shared);                                                            \
  }

IN_ORDER(weight_gradient_1, 1)
IN_ORDER(weight_gradient_2, 2)
