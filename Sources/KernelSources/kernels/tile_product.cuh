// A 64 x 64 tile of a product by 256 threads with float32 multiply-adds: exact, plain, for any
// layout. Operands are functors, so that rows can be gathered while they are loaded.
#pragma once
#include "element.cuh"

constexpr int TILE = 64, DEPTH = 16, TILE_THREADS = 256;

struct TileShared {
  float left[DEPTH][TILE + 4];
  float right[DEPTH][TILE + 4];
};

// What a thread holds of the tile: rows row(i), columns column(j).
struct TileSums {
  float value[4][4];
  DEV static int row(int i) { return (threadIdx.x >> 4) * 4 + i; }
  DEV static int column(int j) { return (threadIdx.x & 15) + 16 * j; }
};

// left(i, k) and right(k, j) give 0 outside of their matrix. LEFT_DEEP and RIGHT_DEEP say that
// neighbours along k are neighbours in memory; otherwise neighbours along i, or j, are.
template <bool LEFT_DEEP, bool RIGHT_DEEP, typename Left, typename Right>
DEV void tile_product(i64 depth, Left left, Right right, TileShared& shared, TileSums& sums) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) sums.value[i][j] = 0.0f;
  }
  for (i64 start = 0; start < depth; start += DEPTH) {
#pragma unroll
    for (int step = 0; step < TILE * DEPTH / TILE_THREADS; ++step) {
      const int index = step * TILE_THREADS + threadIdx.x;
      const int kl = LEFT_DEEP ? index % DEPTH : index / TILE;
      const int il = LEFT_DEEP ? index / DEPTH : index % TILE;
      shared.left[kl][il] = start + kl < depth ? left(il, start + kl) : 0.0f;
      const int kr = RIGHT_DEEP ? index % DEPTH : index / TILE;
      const int jr = RIGHT_DEEP ? index / DEPTH : index % TILE;
      shared.right[kr][jr] = start + kr < depth ? right(start + kr, jr) : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < DEPTH; ++k) {
      float a[4], b[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) a[i] = shared.left[k][TileSums::row(i)];
#pragma unroll
      for (int j = 0; j < 4; ++j) b[j] = shared.right[k][TileSums::column(j)];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) sums.value[i][j] = fmaf(a[i], b[j], sums.value[i][j]);
      }
    }
    __syncthreads();
  }
}

enum { EPILOGUE_NONE = 0, EPILOGUE_SQUARED_RELU = 1, EPILOGUE_TIMES_TWO_SQRT = 2 };

DEV float apply_epilogue(float value, int epilogue, float activation) {
  if (epilogue == EPILOGUE_SQUARED_RELU) {
    const float positive = value > 0.0f ? value : 0.0f;
    return positive * positive;
  }
  return epilogue == EPILOGUE_TIMES_TWO_SQRT ? value * (2.0f * sqrtf(activation)) : value;
}
