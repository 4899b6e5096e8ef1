// What products with 2:4 weights on sparse tensor cores share: 128 neurons x 256 tokens of a block, images of weights.
#pragma once
#include "hopper/tile_ring.cuh"

constexpr int NEURONS = 128, TOKENS = 256, WORDS = 64, STAGES = 5, CLUSTER = 2;  // WORDS: 16 bits, of X in a stage
constexpr u32 B_BYTES = TOKENS * 128, SHARE_BYTES = B_BYTES / CLUSTER;

// A stage of the ring: half of the rows of X that a cluster of two shares, then the block's image.
template <u32 IMAGE_BYTES>
struct TwoFourTiles {
  static constexpr u32 STAGE_BYTES = B_BYTES + IMAGE_BYTES;
  static_assert(STAGE_BYTES % 1024 == 0, "tiles start at multiples of 1024");
  const TensorMap* input;
  const u8* images;
  u32 base, full, empty;
  TileOrder order;
  int rank, first_tile, tile_step, depth, image_rows;

  DEV TwoFourTiles(const u8* images_, const TensorMap* input_, u32 shared, u32 barriers, int tokens, int neurons, int words,
                   int group)
      : input(input_), images(images_), base(shared), full(shared + barriers), empty(full + 8 * STAGES),
        order{(tokens + TOKENS - 1) / TOKENS, (neurons + NEURONS * CLUSTER - 1) / (NEURONS * CLUSTER), group},
        rank((int)cluster_rank()), first_tile((int)blockIdx.x / CLUSTER), tile_step((int)gridDim.x / CLUSTER),
        depth((words + WORDS - 1) / WORDS), image_rows((neurons + NEURONS - 1) / NEURONS) {}

  DEV void place(int tile, int& token, int& block) const {
    order.place(tile, token, block);
    token *= TOKENS;
    block = block * CLUSTER + rank;  // of 128 neurons
  }

  DEV void produce() const {  // one thread
    TileRing<STAGES> ring(1);
    for (int tile = first_tile; tile < order.count(); tile += tile_step) {
      int token, block;
      place(tile, token, block);
      const u8* image = images + (i64)min(block, image_rows - 1) * depth * IMAGE_BYTES;  // one past the end: not stored
      for (int k = 0; k < depth; ++k, ring.advance(), image += IMAGE_BYTES) {
        mbar_wait(empty + 8 * ring.stage, ring.parity);
        const u32 b = base + ring.stage * STAGE_BYTES, bar = full + 8 * ring.stage;
        mbar_arrive_expect_tx(bar, STAGE_BYTES);
        bulk_load(b + B_BYTES, image, IMAGE_BYTES, bar);
        tma_load_2d_multicast(b + rank * SHARE_BYTES, input, k * WORDS, token + rank * (TOKENS / CLUSTER), bar,
                              (1 << CLUSTER) - 1);
      }
    }
    wait_until_empty(ring, empty);
  }
};
