// What persistent products with a ring of stages share: where in the ring they are, in which order tiles go, which
// threads do what.
#pragma once
#include "hopper/memory.cuh"
#include "hopper/wgmma.cuh"

// A stage and the parity of its barriers' phase. Consumers start at parity 0; producers at 1, which a fresh barrier
// counts as completed. A waiter may be at most one phase from the other side: parities tell two phases apart, not more.
template <int STAGES>
struct TileRing {
  u32 stage = 0, parity;
  DEV explicit TileRing(u32 p) : parity(p) {}
  DEV void advance() {
    if (++stage == STAGES) { stage = 0; parity ^= 1; }
  }
};

// `group` tiles of columns are finished for all rows before the next: what is in flight is then about square, and fits
// the L2 cache.
struct TileOrder {
  int row_tiles, column_tiles, group;
  DEV int count() const { return row_tiles * column_tiles; }
  DEV void place(int tile, int& row_tile, int& column_tile) const {
    const int per_group = row_tiles * group, which = tile / per_group, first = which * group;
    const int span = min(group, column_tiles - first), rest = tile - which * per_group;
    row_tile = rest / span;
    column_tile = first + rest % span;
  }
};

// Says to every block of the cluster that this warp has read a stage: other warps may still be computing with it.
template <int CLUSTER>
DEV void release_stage(u32 empty, u32 stage, int lane) {
  if (lane < CLUSTER) mbar_arrive_cluster(empty + 8 * stage, lane);
}

// The end of a producer: arrivals of other blocks must have landed before this one's shared memory goes away.
template <int STAGES>
DEV void wait_until_empty(TileRing<STAGES>& ring, u32 empty) {
  for (int s = 0; s < STAGES; ++s, ring.advance()) mbar_wait(empty + 8 * ring.stage, ring.parity);
}

// One producer thread and two warpgroups of consumers, of 384 threads; `wg`: the thread's warpgroup.
template <class Product>
DEV void produce_and_consume(const Product& product, int wg) {
  // 128 producer + 256 consumer threads share 384 * 168 registers: the pair must add up to 504 exactly.
  if (wg == 2) {
    registers_decrease<40>();
    if (threadIdx.x == 256) product.produce();
  } else {
    registers_increase<232>();
    product.consume(wg);
  }
}
