// Products 1 and 3 of a dense feed-forward network on Hopper, with their epilogues, and the projection to queries, keys
// and values, which turns queries and keys.
//
//   out = epilogue(X Wᵀ), X [T, d], W [f, d], out [T, f], bf16, sums in fp32
//   dense_squared_relu: max(x, 0)^2      dense_two_sqrt: x 2 sqrt(activation), activation [T, f]
//   dense_rotary_64, _128: the first columns, heads so wide, by the angles of their rows' positions (rotary.cuh)
//
// A thread block owns 128 x 256 values of the output and a ring of four 64-deep stages, all filled by TMA:
// - one producer thread loads its 128 rows of X and its half of the 256 rows of W that a cluster of two shares;
// - two consumer warpgroups work on 64 rows each; the activation of an epilogue passes through the ring behind
//   the operands of its tile, 128 columns a stage;
// - a warp converts its 16 x 256 values in shared memory, 64 columns at a time, and TMA stores them while the
//   warp goes on and the ring fills for the next tile.
// The grid is persistent; tiles go in groups of columns, so that what is in flight fits the L2 cache.
//
// Maps: 128-byte swizzle, 64 columns; 128 rows a box of X and of the activation, 128 of W, 16 of out. Launch: 384
// threads, 229440 bytes of shared memory, grid 2 min(tiles of 256 x 256, multiprocessors / 2). Strides, d and f
// multiples of 8: the copy engine clips what it stores to 16 bytes, not to values.
//
// Floor at T 16384, d 2048, f 8192: 550 GFLOP, 0.556 ms at 989 TFLOP/s, 0.82 ms at the rate cuBLAS sustains on random
// data (held back by power); 369 MB of memory traffic (637 with the activation), 0.12 ms (0.21) at 3 TB/s.
// Reached on one H100 80GB HBM3 (700 W), 2026-11-25, Benchmarks/kernels/dense_products.py --time, in turns with cuBLAS,
// squared ReLU | two sqrt | cuBLAS's bare product | the same and a pass, squared ReLU | two sqrt, in ms:
//   T 16384, d 768, f 3072      0.113 | 0.134 | 0.116 | 0.307 | 0.374
//   T 16384, d 2048, f 8192     0.799 | 0.843 | 0.810 | 1.354 | 1.539
//   T 16384, d 4096, f 16384    3.091 | 3.137 | 3.169 | 4.304 | 4.649
//   T 1024, d 2048, f 8192      0.050 | 0.056 | 0.049 | 0.077 | 0.088
// Groups of 16 tiles of columns instead of 8 gave 1 %. Rejected: the activation right behind a tile's first operands and
// kept in registers (two sqrt 0.140, 0.852, 3.28: its reads meet those of the products); warpgroups that take turns with
// 64-row tiles (a ring's parities tell only two phases apart, so the launch failed: it would need barriers of its own).
#include "hopper/epilogue.cuh"
#include "hopper/memory.cuh"
#include "hopper/rotary.cuh"
#include "hopper/tile_ring.cuh"
#include "hopper/wgmma.cuh"

constexpr int CLUSTER = 2, ROWS = 128, COLUMNS = 256, DEPTH = 64, STAGES = 4;
constexpr u32 A_BYTES = ROWS * 128, B_BYTES = COLUMNS * 128, STAGE_BYTES = A_BYTES + B_BYTES;
constexpr u32 SHARE_BYTES = B_BYTES / CLUSTER;
constexpr int SIDE_STAGES = 2;                // of the activation: 128 columns of the tile where W lies
constexpr u32 BUFFER_BYTES = 16 * 128;        // 16 x 64 values of one warp, on their way out
constexpr u32 SHARED_STAGING = STAGES * STAGE_BYTES;
constexpr u32 SHARED_BARRIERS = SHARED_STAGING + 8 * 2 * BUFFER_BYTES;
static_assert(SHARED_BARRIERS + 16 * STAGES == 229440, "what a launch asks for, of 232448");

struct DenseMaps {
  const TensorMap *input, *weights, *activation, *out;
  HeadTurn turn;
};

using Ring = TileRing<STAGES>;

template <int EPILOGUE>
struct DenseProduct {
  static constexpr bool SIDE = EPILOGUE == TIMES_TWO_SQRT;
  // 128 producer + 256 consumer threads share 384 * 168 registers: the pair must add up to 504 exactly.

  const DenseMaps& maps;
  u32 base, full, empty;
  TileOrder order;
  int rank, tiles, first_tile, tile_step, depth;

  DEV DenseProduct(const DenseMaps& maps_, u32 shared, int tokens, int columns, int width, int group)
      : maps(maps_), base(shared), full(shared + SHARED_BARRIERS), empty(full + 8 * STAGES) {
    rank = (int)cluster_rank();
    order = {(tokens + ROWS * CLUSTER - 1) / (ROWS * CLUSTER), (columns + COLUMNS - 1) / COLUMNS, group};
    tiles = order.count();
    first_tile = blockIdx.x / CLUSTER;
    tile_step = gridDim.x / CLUSTER;
    depth = (width + DEPTH - 1) / DEPTH;
  }

  DEV void place(int tile, int& row, int& column) const {  // the first of a tile
    order.place(tile, row, column);
    row = (row * CLUSTER + rank) * ROWS;
    column *= COLUMNS;
  }

  DEV void produce() const {  // one thread
    Ring ring(1);
    for (int tile = first_tile; tile < tiles; tile += tile_step) {
      int row, column;
      place(tile, row, column);
      for (int k = 0; k < depth; ++k, ring.advance()) {
        if (SIDE) prefetch_side(k, row, column);
        mbar_wait(empty + 8 * ring.stage, ring.parity);
        const u32 a = base + ring.stage * STAGE_BYTES, bar = full + 8 * ring.stage;
        mbar_arrive_expect_tx(bar, STAGE_BYTES);
        tma_load_2d(a, maps.input, k * DEPTH, row, bar);
        tma_load_2d_multicast(a + A_BYTES + rank * SHARE_BYTES, maps.weights, k * DEPTH,
                              column + rank * (COLUMNS / CLUSTER), bar, (1 << CLUSTER) - 1);
      }
      for (int s = 0; SIDE && s < SIDE_STAGES; ++s, ring.advance()) {
        mbar_wait(empty + 8 * ring.stage, ring.parity);
        const u32 b = base + ring.stage * STAGE_BYTES + A_BYTES, bar = full + 8 * ring.stage;
        mbar_arrive_expect_tx(bar, 2 * A_BYTES);
        for (int p = 0; p < 2; ++p)
          tma_load_2d(b + p * A_BYTES, maps.activation, column + (s * 2 + p) * 64, row, bar);
      }
    }
    wait_until_empty(ring, empty);
  }

  // The activation comes to the L2 cache while the tile is multiplied: all blocks want theirs at once, at the end.
  DEV void prefetch_side(int k, int row, int column) const {
    const int step = (depth + 3) / 4, box = k / step;
    if (k == box * step) tma_prefetch_2d(maps.activation, column + box * 64, row);
  }

  DEV void consume(int wg) const {
    const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31, tile_row = wg * 64 + warp * 16;
    const u32 staging = base + SHARED_STAGING + (wg * 4 + warp) * 2 * BUFFER_BYTES;
    Ring ring(0);
    float acc[128];
    for (int tile = first_tile; tile < tiles; tile += tile_step) {
      u32 previous = 0;
      for (int k = 0; k < depth; ++k) {
        mbar_wait(full + 8 * ring.stage, ring.parity);
        const u32 a = base + ring.stage * STAGE_BYTES;
        const u64 da = descriptor_k_major(a + wg * (64 * 128)), db = descriptor_k_major(a + A_BYTES);
        wgmma_fence();
#pragma unroll
        for (int j = 0; j < 4; ++j)
          wgmma_m64n256k16<0, 0>(acc, da + j * (32 >> 4), db + j * (32 >> 4), k > 0 || j > 0);
        wgmma_commit();
        wgmma_wait<1>();  // the stage before this one has been read
        if (k > 0) release_stage<CLUSTER>(empty, previous, lane);
        previous = ring.stage;
        ring.advance();
      }
      int row, column;
      place(tile, row, column);
      wgmma_wait<0>();
      release_stage<CLUSTER>(empty, previous, lane);
#pragma unroll
      for (int i = 0; i < 128; ++i) pin(acc[i]);
      if constexpr (turned_head(EPILOGUE) > 0)
        turn_heads<turned_head(EPILOGUE)>(acc, maps.turn, row + tile_row, column, lane);
      store(acc, ring, row + tile_row, column, tile_row, lane, staging);
    }
    if (lane == 0) bulk_wait_read<0>();
  }

  DEV void store(const float (&acc)[128], Ring& ring, int row, int column, int tile_row, int lane, u32 staging) const {
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      const u32 buffer = staging + (c & 1) * BUFFER_BYTES;
      if (SIDE && (c & 1) == 0) mbar_wait(full + 8 * ring.stage, ring.parity);
      const u32 side = base + ring.stage * STAGE_BYTES + A_BYTES + (c & 1) * A_BYTES;
      if (lane == 0) bulk_wait_read<1>();  // what was stored from this buffer before
      __syncwarp();
#pragma unroll
      for (int group = 0; group < 8; group += 2) {  // 8-column groups; one stmatrix covers 16 x 16 values
        u32 s[4], r[4];
        if (SIDE) ldmatrix_x4(s, swizzled_chunk(side, tile_row + (lane & 15), group + (lane >> 4)));
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          float x = acc[c * 32 + group * 4 + 2 * j], y = acc[c * 32 + group * 4 + 2 * j + 1];
          apply_epilogue<EPILOGUE>(x, y, s[j]);
          r[j] = pack_bf16(x, y);
        }
        stmatrix_x4(swizzled_chunk(buffer, lane & 15, group + (lane >> 4)), r[0], r[1], r[2], r[3]);
      }
      fence_proxy_async();  // the warp's own writes before TMA reads them, its reads before TMA loads over them
      __syncwarp();
      if (lane == 0) {
        tma_store_2d(maps.out, buffer, column + c * 64, row);
        bulk_commit();
      }
      if (SIDE && (c & 1) == 1) {
        release_stage<CLUSTER>(empty, ring.stage, lane);
        ring.advance();
      }
    }
  }

  DEV static void run(const DenseMaps& maps, int tokens, int columns, int width, int group, u8* shared) {
    const DenseProduct product(maps, shared_address(shared), tokens, columns, width, group);
    const int wg = warp_uniform(threadIdx.x >> 7);
    if (threadIdx.x == 0) {
      tma_prefetch_map(maps.input);
      tma_prefetch_map(maps.weights);
      tma_prefetch_map(maps.out);
      init_stages<STAGES>(product.full, product.empty, 8 * CLUSTER);  // every consumer warp of the cluster
    }
    cluster_sync();
    begin_kernel();
    produce_and_consume(product, wg);
  }
};

#define DENSE(NAME, EPILOGUE)                                                                               \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)                      \
      NAME(const __grid_constant__ TensorMap input, const __grid_constant__ TensorMap weights,              \
           const __grid_constant__ TensorMap activation, const __grid_constant__ TensorMap out, int tokens, \
           int columns, int width, int group) {                                                             \
    extern __shared__ __align__(1024) u8 shared[];                                                          \
    const DenseMaps maps = {&input, &weights, &activation, &out};                                           \
    DenseProduct<EPILOGUE>::run(maps, tokens, columns, width, group, shared);                               \
  }

// out[r, c] of whole heads in the first `turned` columns, dimension j together with j + head width / 2, by the angle of
// row r's position; the other columns as they are.
#define DENSE_ROTARY(NAME, EPILOGUE)                                                                        \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)                      \
      NAME(const __grid_constant__ TensorMap input, const __grid_constant__ TensorMap weights,              \
           const __grid_constant__ TensorMap out, int tokens, int columns, int width, int group,            \
           const float* table, i64 table_stride, int sequence, int first, int turned) {                     \
    extern __shared__ __align__(1024) u8 shared[];                                                          \
    const DenseMaps maps = {&input, &weights, &out, &out, {table, table_stride, sequence, first, turned}};  \
    DenseProduct<EPILOGUE>::run(maps, tokens, columns, width, group, shared);                               \
  }

DENSE(dense_squared_relu, SQUARED_RELU)
DENSE(dense_two_sqrt, TIMES_TWO_SQRT)
DENSE_ROTARY(dense_rotary_64, ROTARY_64)
DENSE_ROTARY(dense_rotary_128, ROTARY_128)
