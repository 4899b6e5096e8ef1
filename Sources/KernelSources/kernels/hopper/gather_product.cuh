// One pipeline for the four products that gather rows of a weight matrix by a block's list.
//
// kept   (1, 3): out[p, j] = epilogue(sum_k A[p, k] W[list[j], k])   W rows stand on the N side (K-major)
// packed (2, 5): out[row(p), n] = sum_j A[p, j] W[list[j], n]       W rows stand along K (MN-major)
//
// A block owns a 128 x BN tile of the output, BN 256 or (kept only) 192 or 128, and a ring of four (six) 64-deep stages of
// 48, 40 or 32 KiB:
// - a producer warpgroup gathers W with cp.async, 16 bytes per thread, and one of its lanes brings A by
//   TMA; blocks of a cluster work on neighbouring N tiles of the same 128 tokens, so each loads its
//   share of A and multicasts it (W is private: cp.async cannot multicast);
// - two consumer warpgroups, 64 x BN each, keep one group of wgmma in flight across stages;
// - the matrix that an epilogue needs (an activation, a residual) passes through the ring as two more
//   stages of 128 x 128 values, so its latency is hidden like that of the operands.
// The grid is persistent; while the consumers store, the producer fills the ring for the next tile, and half of a
// tile is stored only under the products of the next one.
//
// What limits it: a weight is used for the 128 tokens of one block only, so W passes through L2 once per block:
// T 16384, d 4096, K 2048: 2.1 GB, and 0.5 GB of A (in clusters of 2), in 0.44 ms: 6 TB/s, about what L2 gives.
#pragma once
#include "hopper/epilogue.cuh"
#include "hopper/memory.cuh"
#include "hopper/tile_ring.cuh"
#include "hopper/wgmma.cuh"

constexpr int BM = 128, BK = 64;
constexpr u32 A_BYTES = BM * BK * 2;
constexpr u32 PANEL_BYTES = BK * 128;         // 64 columns of an MN-major stage of W
constexpr u32 SIDE_PANEL_BYTES = BM * 128;    // 64 columns of 128 rows of the epilogue's matrix
constexpr u32 STAGING_BYTES = 16 * 128;       // 16 x 64 values of one warp, on their way out

// K and d are multiples of 64, all strides multiples of 8 values; W, input and side are smaller than 4 GiB.
struct GatherArguments {
  const bf16* weights;  // W [f, weight_stride]
  i64 weight_stride;
  const u16* lists;     // [blocks, list_stride], ascending
  int list_stride;
  int kept;             // K: entries of a list
  int width;            // d
  int tokens;           // T
  int block_tokens;     // V, a multiple of 128
  const int* order;     // position -> token, or null
  const bf16* input;    // A in token order, where cp.async gathers its rows; else unused
  i64 input_stride;
  const bf16* side;     // what the epilogue reads, or null
  i64 side_stride;
  bf16* out;
  i64 out_stride;
  int group;            // N tiles (of clusters) that are finished for all tokens before the next group
};

template <bool GATHER_K, int BN, int CLUSTER, int EPILOGUE, bool ORDERED_A>
struct GatherProduct {
  static_assert(BN == 256 || ((BN == 192 || BN == 128) && !GATHER_K), "a warp gathers 512 bytes of a row at once");
  static constexpr int STAGES = BN == 128 ? 6 : 4;
  using RingPosition = TileRing<STAGES>;
  static constexpr u32 B_BYTES = BN * BK * 2, STAGE_BYTES = A_BYTES + B_BYTES;
  // The last DEFERRED pieces of 64 columns are stored while the next tile is multiplied.
  static constexpr int PIECES = BN / 64, DEFERRED = 2, BUFFERS = 2;  // one buffer each
  static constexpr u32 SHARED_STAGING = STAGES * STAGE_BYTES;
  static constexpr u32 SHARED_BARRIERS = SHARED_STAGING + 8 * BUFFERS * STAGING_BYTES;
  static_assert(SHARED_BARRIERS + 16 * STAGES <= 229504, "what a launch asks for, of 232448");
  // The epilogue's matrix takes W's place in a stage, and A's too where W's is too small.
  static constexpr u32 SIDE_OFFSET = B_BYTES >= 2 * SIDE_PANEL_BYTES ? A_BYTES : 0;
  static_assert(STAGE_BYTES >= 2 * SIDE_PANEL_BYTES, "an epilogue's 128 columns fit a stage");
  static constexpr bool SIDE = EPILOGUE == TIMES_TWO_SQRT || EPILOGUE == ADD;
  static constexpr int A_ROWS = BM / CLUSTER;  // rows of A that each block of the cluster loads
  // 128 producer + 256 consumer threads share 384 * 168 registers: the pair must add up to 504 exactly.
  static constexpr int PRODUCER_REGISTERS = 72, CONSUMER_REGISTERS = 216;

  const GatherArguments& g;
  u32 base, full, empty;
  int rank, row_tiles, column_tiles, tiles, first_tile, tile_step, depth;

  DEV GatherProduct(const GatherArguments& arguments, u32 shared, int cluster_rank_)
      : g(arguments), base(shared), full(shared + SHARED_BARRIERS), empty(full + 8 * STAGES), rank(cluster_rank_) {
    row_tiles = (g.tokens + BM - 1) / BM;
    column_tiles = (columns() + BN * CLUSTER - 1) / (BN * CLUSTER);
    tiles = row_tiles * column_tiles;
    first_tile = blockIdx.x / CLUSTER;
    tile_step = gridDim.x / CLUSTER;
    depth = (GATHER_K ? g.kept : g.width) / BK;
  }
  DEV int columns() const { return GATHER_K ? g.width : g.kept; }

  // First token position and first column of a tile.
  DEV void place(int tile, int& p0, int& n0) const {
    int row_tile, column_tile;
    TileOrder{row_tiles, column_tiles, g.group}.place(tile, row_tile, column_tile);
    p0 = row_tile * BM;
    n0 = (column_tile * CLUSTER + rank) * BN;
  }
  DEV const u16* list(int p0) const { return g.lists + (i64)(p0 / g.block_tokens) * g.list_stride; }

  // ---- producer
  //
  // Address arithmetic is what a producer warp has no time for: a row is a 32-bit byte offset computed
  // once, a copy is one 64-bit addition, and nothing is predicated. Rows past the end of a list copy
  // row 0 and columns past the end copy column 0; what comes of them is not stored.

  DEV void load_a(const TensorMap* map, int k, int p0, u32 a, u32 bar) const {  // one lane
    if (ORDERED_A) {
      mbar_arrive(bar);
      return;
    }
    mbar_arrive_expect_tx(bar, A_BYTES);
    if (CLUSTER > 1)
      tma_load_2d_multicast(a + rank * A_ROWS * 128, map, k * BK, p0 + rank * A_ROWS, bar, (1 << CLUSTER) - 1);
    else
      tma_load_2d(a, map, k * BK, p0, bar);
  }

  // A warp copies one row of 512 bytes per instruction; lane l < 16 holds `mine`, the offset of the
  // warp's row l of the next stage, and fetches the entry after it before it waits for the stage.
  DEV void gather_along_k(const TensorMap* map, RingPosition& ring, u32& mine, int tile, int warp, int lane) const {
    const u32 row_bytes = (u32)g.weight_stride * 2;
    int p0, n0;
    place(tile, p0, n0);
    const u16* entries = list(p0);
    const int own = warp + 4 * (lane & 15);
    if (tile == first_tile) mine = entries[own] * row_bytes;
    const u8* from = (const u8*)(g.weights + (n0 + lane * 8 < g.width ? n0 + lane * 8 : 0));
    const u32 even = panel_chunk(A_BYTES, PANEL_BYTES, warp, lane), odd = panel_chunk(A_BYTES, PANEL_BYTES, warp + 4, lane);
    for (int k = 0; k < depth; ++k) {
      int slot = (k + 1) * BK + own;
      if (k + 1 == depth) {  // the next tile's first entry
        slot = own;
        if (tile + tile_step < tiles) {
          int p1, n1;
          place(tile + tile_step, p1, n1);
          entries = list(p1);
        }
      }
      const u32 entry = entries[slot];
      u32 offset[16];
#pragma unroll
      for (int i = 0; i < 16; ++i) offset[i] = __shfl_sync(0xffffffffu, mine, i);
      mbar_wait(empty + 8 * ring.stage, ring.parity);
      const u32 a = base + ring.stage * STAGE_BYTES, bar = full + 8 * ring.stage;
      if (warp == 0 && elect_one()) load_a(map, k, p0, a, bar);
#pragma unroll
      for (int i = 0; i < 16; ++i) cp_async16(a + (i & 1 ? odd : even) + (i >> 1) * 1024, from + offset[i]);
      cp_async_arrive(bar);
      mine = entry * row_bytes;
      ring.advance();
    }
  }

  // A warp copies 128 bytes of four rows per instruction; a thread's 16 rows stay in registers.
  DEV void gather_along_n(const TensorMap* map, RingPosition& ring, int tile, int warp, int lane) const {
    const int row0 = warp * 4 + (lane >> 3), chunk = lane & 7;
    const u32 row_bytes = (u32)g.weight_stride * 2, to = swizzled_chunk(0, row0, chunk);
    int p0, n0;
    place(tile, p0, n0);
    const u16* entries = list(p0);
    u32 offset[BN / 16], token[8];
#pragma unroll
    for (int i = 0; i < BN / 16; ++i) {
      const int slot = n0 + row0 + 16 * i;
      offset[i] = (slot < g.kept ? entries[slot] : 0) * row_bytes;
    }
    if (ORDERED_A) {
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        const int p = p0 + row0 + 16 * i;
        token[i] = (u32)(p < g.tokens ? g.order[p] : 0) * ((u32)g.input_stride * 2);
      }
    }
    const u8 *from = (const u8*)g.weights + chunk * 16, *rows = (const u8*)g.input + chunk * 16;
    for (int k = 0; k < depth; ++k, from += BK * 2, rows += BK * 2) {
      mbar_wait(empty + 8 * ring.stage, ring.parity);
      const u32 a = base + ring.stage * STAGE_BYTES, bar = full + 8 * ring.stage;
      if (warp == 0 && elect_one()) load_a(map, k, p0, a, bar);
#pragma unroll
      for (int i = 0; i < BN / 16; ++i) cp_async16(a + to + (A_BYTES + i * 2048), from + offset[i]);
      if (ORDERED_A) {
#pragma unroll
        for (int i = 0; i < 8; ++i) cp_async16(a + to + i * 2048, rows + token[i]);
      }
      cp_async_arrive(bar);
      ring.advance();
    }
  }

  // Stages of 128 x 128 values of the epilogue's matrix: one, or two where a tile has more than 128 columns.
  DEV void load_side(RingPosition& ring, int tile, int warp, int lane) const {
    int p0, n0;
    place(tile, p0, n0);
    const int chunk = lane & 15, row0 = warp * 2 + (lane >> 4);
    u32 offset[16];
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      const int p = p0 + row0 + 8 * i;
      offset[i] = (u32)(p >= g.tokens ? 0 : GATHER_K && g.order ? g.order[p] : p) * ((u32)g.side_stride * 2);
    }
    for (int half = 0; half < (BN + 127) / 128; ++half) {
      const int column = n0 + half * 128 + chunk * 8;
      const u8* from = (const u8*)(g.side + (column < columns() ? column : 0));
      mbar_wait(empty + 8 * ring.stage, ring.parity);
      const u32 b = base + ring.stage * STAGE_BYTES + SIDE_OFFSET, bar = full + 8 * ring.stage;
      if (warp == 0 && lane == 0) mbar_arrive(bar);
#pragma unroll
      for (int i = 0; i < 16; ++i) cp_async16(panel_chunk(b, SIDE_PANEL_BYTES, row0, chunk) + i * 1024, from + offset[i]);
      cp_async_arrive(bar);
      ring.advance();
    }
  }

  DEV void produce(const TensorMap* map) const {
    const int warp = warp_uniform((threadIdx.x >> 5) & 3), lane = threadIdx.x & 31;
    RingPosition ring(1);
    u32 mine = 0;
    for (int tile = first_tile; tile < tiles; tile += tile_step) {
      if (GATHER_K) gather_along_k(map, ring, mine, tile, warp, lane);
      else gather_along_n(map, ring, tile, warp, lane);
      if (SIDE) load_side(ring, tile, warp, lane);
    }
    wait_until_empty(ring, empty);
  }

  // ---- consumers

  DEV void release(u32 stage, int lane) const {  // one arrival per warp: another warp may still be computing
    if (CLUSTER == 1) {
      if (lane == 0) mbar_arrive(empty + 8 * stage);
    } else if (lane < CLUSTER) {
      mbar_arrive_cluster(empty + 8 * stage, lane);
    }
  }

  DEV void consume(int wg, u8* shared) const {
    const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31, tile_row = wg * 64 + warp * 16;
    u8* const staging = shared + SHARED_STAGING + (wg * 4 + warp) * BUFFERS * STAGING_BYTES;
    RingPosition ring(0);
    float acc[BN / 2];
    int p0 = 0, n0 = 0, next_p0, next_n0;
    if (first_tile < tiles) place(first_tile, p0, n0);
    bf16* row[4] = {g.out, g.out, g.out, g.out};  // where this lane's parts of rows go
    u32 pending = 0;  // what of the tile before is still to be stored: rows 0 to 3, then deferred pieces
    for (int tile = first_tile; tile < tiles; tile += tile_step, p0 = next_p0, n0 = next_n0) {
      u32 previous = 0;
      for (int k = 0; k < depth; ++k) {
        mbar_wait(full + 8 * ring.stage, ring.parity);
        fence_proxy_async();  // cp.async wrote through the generic proxy, wgmma reads through the async one
        const u32 a = base + ring.stage * STAGE_BYTES + wg * (64 * 128), b = base + ring.stage * STAGE_BYTES + A_BYTES;
        const u64 da = descriptor_k_major(a), db = GATHER_K ? descriptor_mn_major(b, PANEL_BYTES) : descriptor_k_major(b);
        wgmma_fence();
#pragma unroll
        for (int j = 0; j < 4; ++j)
          multiply(acc, da + j * (32 >> 4), db + j * ((GATHER_K ? 2048 : 32) >> 4), k > 0 || j > 0);
        wgmma_commit();
        if (k < 2 * DEFERRED) store_half(k, row, pending, lane, staging);  // under the first products
        wgmma_wait<1>();  // the stage before this one has been read
        if (k > 0) release(previous, lane);
        previous = ring.stage;
        ring.advance();
      }
      for (int k = depth; k < 2 * DEFERRED; ++k) store_half(k, row, pending, lane, staging);
      pending = 0;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int p = p0 + tile_row + 4 * i + (lane >> 3);
        const int to = p >= g.tokens ? 0 : GATHER_K && g.order ? g.order[p] : p;
        row[i] = g.out + (i64)to * g.out_stride + n0 + (lane & 7) * 8;
        pending |= (u32)(p < g.tokens) << i;
      }
      place(min(tile + tile_step, tiles - 1), next_p0, next_n0);
      __syncwarp();  // every lane has read what the warp overwrites next
      wgmma_wait<0>();
      release(previous, lane);
#pragma unroll
      for (int i = 0; i < BN / 2; ++i) pin(acc[i]);
      store(acc, row, pending, ring, n0, tile_row, lane, staging);
    }
    for (int k = 0; k < 2 * DEFERRED; ++k) store_half(k, row, pending, lane, staging);
  }

  DEV static void multiply(float (&acc)[BN / 2], u64 a, u64 b, int accumulate) {
    if constexpr (BN == 256) wgmma_m64n256k16<0, GATHER_K ? 1 : 0>(acc, a, b, accumulate);
    else if constexpr (BN == 192) wgmma_m64n192k16<0, 0>(acc, a, b, accumulate);
    else wgmma_m64n128k16<0, 0>(acc, a, b, accumulate);
  }

  // Half a deferred piece: 8 of the warp's 16 rows.
  DEV static void store_half(int half, bf16* const (&row)[4], u32 pending, int lane, const u8* staging) {
    const int c = PIECES - DEFERRED + (half >> 1);
    const u8* const buffer = staging + c % BUFFERS * STAGING_BYTES;
    const bool in = pending >> (4 + (half >> 1)) & 1;
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const int i = (half & 1) * 2 + j;
      const uint4 v = *(const uint4*)(buffer + swizzled_chunk(0, 4 * i + (lane >> 3), lane & 7));
      st_v4_if(in && (pending >> i & 1), (half & 1 ? row[2 + j] : row[j]) + c * 64, v.x, v.y, v.z, v.w);
    }
  }

  // A warp writes its 16 x BN values, 64 columns at a time, as 128-byte pieces of rows; the last ones stay in
  // shared memory until the next tile's products run. `pending` comes with the rows that exist.
  DEV void store(const float (&acc)[BN / 2], bf16* const (&row)[4], u32& pending, RingPosition& ring, int n0, int tile_row,
                 int lane, u8* staging) const {
    const int chunk = lane & 7;
#pragma unroll
    for (int c = 0; c < BN / 64; ++c) {
      u8* const buffer = staging + c % BUFFERS * STAGING_BYTES;
      if (SIDE && (c & 1) == 0) mbar_wait(full + 8 * ring.stage, ring.parity);
      const u32 side = base + ring.stage * STAGE_BYTES + SIDE_OFFSET + (c & 1) * SIDE_PANEL_BYTES;
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
        stmatrix_x4(shared_address(buffer) + swizzled_chunk(0, lane & 15, group + (lane >> 4)), r[0], r[1], r[2], r[3]);
      }
      __syncwarp();
      if (SIDE && ((c & 1) == 1 || c == BN / 64 - 1)) {
        if (SIDE_OFFSET == 0) fence_proxy_async();  // TMA writes A here next
        release(ring.stage, lane);
        ring.advance();
      }
      const bool in = n0 + c * 64 + chunk * 8 < columns();
      if (c >= PIECES - DEFERRED) {
        pending |= (u32)in << (4 + c - (PIECES - DEFERRED));
        continue;
      }
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const uint4 v = *(const uint4*)(buffer + swizzled_chunk(0, 4 * i + (lane >> 3), chunk));
        st_v4_if(in && (pending >> i & 1), row[i] + c * 64, v.x, v.y, v.z, v.w);
      }
    }
    __syncwarp();
  }

  DEV static void run(const TensorMap* map, const GatherArguments& arguments, u8* shared) {
    const GatherProduct product(arguments, shared_address(shared), CLUSTER > 1 ? (int)cluster_rank() : 0);
    const int wg = warp_uniform(threadIdx.x >> 7);
    if (threadIdx.x == 0) {
      tma_prefetch_map(map);
      // Every consumer warp of the cluster; every producer thread, and the TMA of A.
      init_stages<STAGES>(product.full, product.empty, 8 * CLUSTER, 128 + 1);
    }
    if (CLUSTER > 1) cluster_sync();
    else __syncthreads();
    begin_kernel();
    if (wg == 2) {
      registers_decrease<PRODUCER_REGISTERS>();
      product.produce(map);
    } else {
      registers_increase<CONSUMER_REGISTERS>();
      product.consume(wg, shared);
    }
  }
};
