// Products 4 and 6 on Hopper, added in whatever order: dW[list(b)[j], n] += sum over the tokens p of block b of
// packed[p, j] rows[p, n], fp32. Fast, and not reproducible: weight_gradient.cu is.
//
// A block takes a token block and 128 columns, keeps rows [V, 128] in shared memory and goes through the list,
// 128 slots at a time: wgmma with both operands MN-major (token depth), then 512-byte pieces of rows added by
// red.global.add.v4.f32, a warp per row. Two consumer warpgroups of 64 slots, so that one adds while one multiplies.
//
// Launch: 384 threads, 200768 bytes of shared memory, grid min(blocks * ceil(d / 128), multiprocessors). Maps: packed
// [T, K] and rows [T, d] in token order, both box 64 x 128, 128-byte swizzle. V 128 or 256; group 2: columns of 256
// are finished for all tokens before the next ones, so that what is added to stays in L2. K a multiple of 8, d of 4.
//
// Floor at T 32768, d 2048, f 8192, K 1024: not the arithmetic (0.205 ms at cuBLAS's rate) but blocks * K * d
// additions: 2.15 GB at V 128; L2 adds about 2.5 TB/s, hence 0.86 ms; at V 256 half of that.
// Reached on one H100 80GB HBM3, 2026-11-25, sparse_products.py --time: V 128 0.869 ms, 1.8x cuBLAS, 2.47 TB/s added
// [T 16384, d 4096, f 16384: 2.3 ms, 1.4x, 1.9 TB/s]; V 256 0.570 ms, 2.6x [1.38 ms, 2.4x].
//
// Versions tried: cp.reduce.async.bulk, a 512-byte row each: 0.955 (31 ns per copy and SM, as for every small TMA
// transfer); red.v4 straight from the accumulators, 32 bytes of a row: 1.25; one warpgroup bulk, one red: 0.944.
#include "hopper/memory.cuh"
#include "hopper/wgmma.cuh"

constexpr int SLOTS = 128, COLUMNS = 128, DEPTH = 128;      // output tile, and tokens of a stage
constexpr u32 PANEL = DEPTH * 128;                          // 64 slots or columns of 128 tokens: 16 KiB
constexpr u32 TILE = 2 * PANEL;                             // 32 KiB
constexpr int STAGES = 2;                                   // of P; two buffers of R as well
constexpr u32 PITCH = COLUMNS * 4 + 32;                     // fp32 row on its way out: 8 banks of skew per row
constexpr u32 SHARED_ROWS = STAGES * TILE, SHARED_STAGING = SHARED_ROWS + 2 * TILE;
constexpr u32 SHARED_BARRIERS = SHARED_STAGING + 2 * 64 * PITCH;
static_assert(SHARED_BARRIERS + 64 == 200768, "what a launch asks for");

extern "C" __global__ void __launch_bounds__(384, 1)
    weight_gradient_add(const __grid_constant__ TensorMap packed, const __grid_constant__ TensorMap rows,
                        float* __restrict__ gradient, i64 gradient_stride, const u16* __restrict__ lists, int list_stride,
                        int kept, int width, int tokens, int block_tokens, int group) {
  extern __shared__ __align__(1024) u8 shared[];
  const u32 base = shared_address(shared), full = base + SHARED_BARRIERS, empty = full + 8 * STAGES;
  const u32 rows_full = empty + 8 * STAGES, rows_empty = rows_full + 16;
  const int wg = warp_uniform(threadIdx.x >> 7);
  if (threadIdx.x == 0) {
    tma_prefetch_map(&packed), tma_prefetch_map(&rows);
    for (int s = 0; s < STAGES; ++s) mbar_init(full + 8 * s, 1), mbar_init(empty + 8 * s, 8);
    for (int s = 0; s < 2; ++s) mbar_init(rows_full + 8 * s, 1), mbar_init(rows_empty + 8 * s, 8);
    fence_mbar_init();
  }
  __syncthreads();
  dependent_wait();
  const int blocks = (tokens + block_tokens - 1) / block_tokens, column_tiles = (width + COLUMNS - 1) / COLUMNS;
  const int items = blocks * column_tiles, slot_tiles = (kept + SLOTS - 1) / SLOTS, parts = block_tokens / DEPTH;
  const int per_group = blocks * group;

  if (wg == 2) {
    registers_decrease<24>();
    if (threadIdx.x == 256) {
      u32 stage = 0, parity = 1, buffer = 0, rows_parity = 1;
      for (int item = blockIdx.x; item < items; item += gridDim.x) {
        const int g = item / per_group, first = g * group, rest = item - g * per_group, span = min(group, column_tiles - first);
        const int p0 = rest / span * block_tokens, n0 = (first + rest % span) * COLUMNS;
        for (int m = 0; m < slot_tiles; ++m) {
          for (int part = 0; part < parts; ++part) {
            if (m == 0) {
              const u32 r = base + SHARED_ROWS + buffer * TILE, bar = rows_full + 8 * buffer;
              mbar_wait(rows_empty + 8 * buffer, rows_parity);
              mbar_arrive_expect_tx(bar, TILE);
              tma_load_2d(r, &rows, n0, p0 + part * DEPTH, bar);
              tma_load_2d(r + PANEL, &rows, n0 + 64, p0 + part * DEPTH, bar);
              if (++buffer == 2) buffer = 0, rows_parity ^= 1;
            }
            const u32 a = base + stage * TILE, bar = full + 8 * stage;
            mbar_wait(empty + 8 * stage, parity);
            mbar_arrive_expect_tx(bar, TILE);
            tma_load_2d(a, &packed, m * SLOTS, p0 + part * DEPTH, bar);
            tma_load_2d(a + PANEL, &packed, m * SLOTS + 64, p0 + part * DEPTH, bar);
            if (++stage == STAGES) stage = 0, parity ^= 1;
          }
        }
      }
    }
  } else {
    registers_increase<240>();
    const int tid = threadIdx.x & 127, warp = tid >> 5, lane = tid & 31;
    const u32 staging = SHARED_STAGING + wg * 64 * PITCH;
    u32 stage = 0, parity = 0, buffer = 0, rows_parity = 0;
    float acc[64];
    for (int item = blockIdx.x; item < items; item += gridDim.x) {
      const int g = item / per_group, first = g * group, rest = item - g * per_group, span = min(group, column_tiles - first);
      const int n0 = (first + rest % span) * COLUMNS;
      const u16* list = lists + (i64)(rest / span) * list_stride;
      for (int m = 0; m < slot_tiles; ++m) {
        const int own = m * SLOTS + wg * 64 + warp * 16 + (lane & 15), mine = own < kept ? (int)list[own] : -1;
        for (int part = 0; part < parts; ++part) {
          const u32 r = (buffer + part) & 1;
          if (m == 0) mbar_wait(rows_full + 8 * r, rows_parity ^ (buffer + part >= 2));
          mbar_wait(full + 8 * stage, parity);
          const u64 da = descriptor_mn_major(base + stage * TILE + wg * PANEL, PANEL);
          const u64 db = descriptor_mn_major(base + SHARED_ROWS + r * TILE, PANEL);
          wgmma_fence();
#pragma unroll
          for (int j = 0; j < DEPTH / 16; ++j)
            wgmma_m64n128k16<1, 1>(acc, da + j * (2048 >> 4), db + j * (2048 >> 4), part > 0 || j > 0);
          wgmma_commit();
          wgmma_wait<0>();
          if (lane == 0) mbar_arrive(empty + 8 * stage);
          if (m == slot_tiles - 1 && lane == 0) mbar_arrive(rows_empty + 8 * r);
          if (++stage == STAGES) stage = 0, parity ^= 1;
        }
#pragma unroll
        for (int i = 0; i < 64; ++i) pin(acc[i]);
#pragma unroll
        for (int q = 0; q < 16; ++q) {
          const int r = warp * 16 + (lane >> 2), x = q * 8 + (lane & 3) * 2;
          *(float2*)(shared + staging + r * PITCH + x * 4) = make_float2(acc[q * 4], acc[q * 4 + 1]);
          *(float2*)(shared + staging + (r + 8) * PITCH + x * 4) = make_float2(acc[q * 4 + 2], acc[q * 4 + 3]);
        }
        __syncwarp();
#pragma unroll 8
        for (int i = 0; i < 16; ++i) {  // a warp's own 16 rows, 512 contiguous bytes each
          const int to = __shfl_sync(0xffffffffu, mine, i);
          const float4 v = *(const float4*)(shared + staging + (warp * 16 + i) * PITCH + lane * 16);
          if (to >= 0 && n0 + lane * 4 < width) red_add_v4(gradient + (i64)to * gradient_stride + n0 + lane * 4, v);
        }
        __syncwarp();
      }
      buffer += parts;
      if (buffer >= 2) buffer -= 2, rows_parity ^= 1;
    }
  }
  dependent_launch();
}
