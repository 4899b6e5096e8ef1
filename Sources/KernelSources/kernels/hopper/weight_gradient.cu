// Products 4 and 6 on Hopper, reproducible: dW[list(b)[j], n] += sum over the tokens p of block b of
// packed[p, j] rows[p, n], fp32, blocks in ascending order, no atomics.
//
// A block owns `neurons` (at most 448) consecutive neurons and 64 columns, keeps their sums in shared memory and
// goes through all token blocks. A list is ascending, so the neurons of a token block are one stretch of its
// packed columns: list_starts finds the stretches first. A visit is 64 slots of a stretch: TMA brings the packed
// values and the rows, one of two consumer warpgroups multiplies (both operands MN-major) while the other adds
// its products to the sums; they take turns, in the order of visits. `neurons` is best where a stretch rarely
// has more than 64 slots: 52 f / K rounded down to a multiple of 8, at most 448.
//
// Launch: list_starts with grid `blocks`; then 384 threads, 213040 bytes of shared memory, grid min(items,
// multiprocessors), items = ceil(f / neurons) * ceil(d / 64). Maps: packed [T, K] and rows [T, d] in token order, both
// box 64 x 128, 128-byte swizzle. V a multiple of 128, K of 8, d of 4. starts: u16 [blocks, ceil(f / neurons) + 1].
//
// Floor at T 32768, d 2048, f 8192, K 1024, V 128, per 64 slots x 64 columns of a token block: 256 clocks of wgmma
// at full rate, but about 860 of the shared-memory port (32 KiB in, 32 KiB to wgmma, 32 KiB of sums read and
// written), 0.45 ms in all; and 5.5 GB through L2, 0.9 ms at 6 TB/s [T 16384, d 4096, f 16384, K 2048: twice].
// Reached on one H100 80GB HBM3 (700 W), 2026-11-25, Benchmarks/kernels/sparse_products.py --time --only gradient
// --variants, in turns with cuBLAS, 416 or 448 neurons: 1.16 to 1.43 ms, 0.94x to 1.15x dense [2.48 to 2.73 ms, 1.11x];
// 384: 1.44 [2.75]; 320: 1.65 [3.42]; 256: 1.82 [4.27]; V 256: 0.88 ms, 1.5x [1.88, 1.5x].
//
// Versions tried: each warpgroup owns 32 of the columns (m64n32k16) and never waits for the other, the packed values
// multicast to two blocks of a cluster or not: 1.49 to 1.64 ms [3.1 to 3.2], though its floor is hardly higher: products
// 32 columns wide cost as much as products of 64. The first version started boxes at any slot and raised an illegal
// instruction: TMA wants every start at a multiple of 16 bytes; hence `skip`.
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
  begin_kernel();
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

// Adds 16 x 64 products of a warp to the sums of its rows. The four quads of half a warp touch four different
// 32-byte pieces of 128 bytes at every step, whatever their neurons: no bank conflicts. Hence the rotation.
DEV void add_rows(const float (&acc)[32], u8* sums, int row0, int row1, int lane) {  // row -1: none
  const int turn = (lane >> 2) & 3;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float v[4][4], t[4][4];
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int i = 0; i < 4; ++i) t[j][i] = turn & 1 ? acc[half * 16 + ((j + 1) & 3) * 4 + i] : acc[half * 16 + j * 4 + i];
#pragma unroll
    for (int j = 0; j < 4; ++j)
#pragma unroll
      for (int i = 0; i < 4; ++i) v[j][i] = turn & 2 ? t[(j + 2) & 3][i] : t[j][i];
    float2 a[4], b[4];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int at = half * 128 + ((j + turn) & 3) * 32 + (lane & 3) * 8;
      if (row0 >= 0) a[j] = *(const float2*)(sums + row0 + at);
      if (row1 >= 0) b[j] = *(const float2*)(sums + row1 + at);
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int at = half * 128 + ((j + turn) & 3) * 32 + (lane & 3) * 8;
      if (row0 >= 0) *(float2*)(sums + row0 + at) = make_float2(a[j].x + v[j][0], a[j].y + v[j][1]);
      if (row1 >= 0) *(float2*)(sums + row1 + at) = make_float2(b[j].x + v[j][2], b[j].y + v[j][3]);
    }
  }
}

extern "C" __global__ void __launch_bounds__(384, 1)
    weight_gradient(const __grid_constant__ TensorMap packed, const __grid_constant__ TensorMap rows,
                    float* __restrict__ gradient, i64 gradient_stride, const u16* __restrict__ lists, int list_stride,
                    const u16* __restrict__ starts, int neurons, int all_neurons, int width, int tokens, int block_tokens) {
  extern __shared__ __align__(1024) u8 shared[];
  const u32 base = shared_address(shared), full = base + SHARED_BARRIERS, empty = full + 8 * STAGES;
  u8* const sums = shared + SHARED_SUMS;
  const int wg = warp_uniform(threadIdx.x >> 7), lane = threadIdx.x & 31;
  if (threadIdx.x == 0) {
    tma_prefetch_map(&packed), tma_prefetch_map(&rows);
    init_stages<STAGES>(full, empty, block_tokens > DEPTH ? 8 : 4);
  }
  __syncthreads();
  begin_kernel();
  const int blocks = (tokens + block_tokens - 1) / block_tokens, parts = block_tokens / DEPTH;
  const int ranges = (all_neurons + neurons - 1) / neurons, items = ranges * ((width + COLUMNS - 1) / COLUMNS);
  Stretches stretches(starts, ranges, blocks);
  // A parity tells a fill of a stage from the one before it, no more: a warpgroup may wait for a fill only when the
  // one before has landed. With one part in a visit that is so, because the visit which had that fill has been added
  // when this warpgroup's own last visit is; with more, a warpgroup waits for the other's fills too and lets them go.
  u32 stage = 0, parity = 0;

  if (wg == 2) {
    registers_decrease<40>();
    if (threadIdx.x < 288) {  // one warp
      for (int item = blockIdx.x; item < items; item += gridDim.x) {
        const int n0 = item / ranges * COLUMNS;
        stretches.start(item % ranges, lane);
        for (int b = 0; b < blocks; ++b) {
          int from, skip, count;
          stretches.get(b, lane, from, skip, count);
          for (int s = 0; s < count; s += SLOTS) {
            for (int part = 0; part < parts; ++part) {
              mbar_wait(empty + 8 * stage, parity ^ 1);
              if (elect_one()) {
                const u32 a = base + stage * STAGE_BYTES, bar = full + 8 * stage;
                mbar_arrive_expect_tx(bar, STAGE_BYTES);
                tma_load_2d(a, &packed, from + s, b * block_tokens + part * DEPTH, bar);
                tma_load_2d(a + PANEL, &rows, n0, b * block_tokens + part * DEPTH, bar);
              }
              if (++stage == STAGES) stage = 0, parity ^= 1;
            }
          }
        }
      }
    }
  } else {
    registers_increase<232>();
    const int warp = (threadIdx.x >> 5) & 3, tid = threadIdx.x;
    int turn = 0;                          // the warpgroup whose visit is next
    if (wg == 1) bar_arrive(1, 256);       // the first visit waits for nobody
    for (int i = tid; i < neurons * COLUMNS / 4; i += 256) ((float4*)sums)[i] = make_float4(0.f, 0.f, 0.f, 0.f);
    bar_sync(3, 256);
    float acc[32];
    for (int item = blockIdx.x; item < items; item += gridDim.x) {
      const int n0 = item / ranges * COLUMNS, neuron0 = item % ranges * neurons;
      stretches.start(item % ranges, lane);
      for (int b = 0; b < blocks; ++b) {
        int from, skip, count;
        stretches.get(b, lane, from, skip, count);
        const u16* list = lists + (i64)b * list_stride + from;
        for (int s = 0; s < count; s += SLOTS, turn ^= 1) {
          if (turn != wg) {                // the other warpgroup's visit: only keep count of the stages
            for (int part = 0; part < parts; ++part) {
              if (parts > 1) {             // see `parity` above
                mbar_wait(full + 8 * stage, parity);
                if (lane == 0) mbar_arrive(empty + 8 * stage);
              }
              if (++stage == STAGES) stage = 0, parity ^= 1;
            }
            continue;
          }
          const int slot = s + warp * 16 + (lane >> 2);
          const int row0 = slot >= skip && slot < count ? (list[slot] - neuron0) * (int)SUM_BYTES : -1;
          const int row1 = slot + 8 < count ? (list[slot + 8] - neuron0) * (int)SUM_BYTES : -1;
          for (int part = 0; part < parts; ++part) {
            mbar_wait(full + 8 * stage, parity);
            const u64 da = descriptor_mn_major(base + stage * STAGE_BYTES, PANEL);
            const u64 db = descriptor_mn_major(base + stage * STAGE_BYTES + PANEL, PANEL);
            wgmma_fence();
#pragma unroll
            for (int j = 0; j < DEPTH / 16; ++j)
              wgmma_m64n64k16<1, 1>(acc, da + j * (2048 >> 4), db + j * (2048 >> 4), part > 0 || j > 0);
            wgmma_commit();
            wgmma_wait<0>();
            if (lane == 0) mbar_arrive(empty + 8 * stage);
            if (++stage == STAGES) stage = 0, parity ^= 1;
          }
#pragma unroll
          for (int i = 0; i < 32; ++i) pin(acc[i]);
          bar_sync(1 + wg, 256);           // the visit before this one has been added
          if (s + warp * 16 < count) add_rows(acc, sums, row0, row1, lane);
          bar_arrive(2 - wg, 256);
        }
      }
      bar_sync(3, 256);                    // all sums of the item are complete
      for (int i = tid; i < neurons * COLUMNS / 4; i += 256) {
        const int neuron = neuron0 + i / (COLUMNS / 4), n = n0 + i % (COLUMNS / 4) * 4;
        const float4 v = ((const float4*)sums)[i];
        ((float4*)sums)[i] = make_float4(0.f, 0.f, 0.f, 0.f);
        if (neuron < all_neurons && n < width) {
          float4* const to = (float4*)(gradient + (i64)neuron * gradient_stride + n);
          const float4 w = *to;
          *to = make_float4(w.x + v.x, w.y + v.y, w.z + v.z, w.w + v.w);
        }
      }
      bar_sync(3, 256);
    }
  }
}
