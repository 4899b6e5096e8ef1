// What persistent products with a ring of stages share: where in the ring they are, and in which order tiles go.
#pragma once
#include "hopper/types.cuh"

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
