// Sums over blocks of tokens of squared ReLUs, or with KRAIT_SQUARES 1 of their squares, straight from the registers of a
// product. A constant of the compilation, so that neither pays for the other.
#pragma once
#include "hopper/memory.cuh"
#include "hopper/wgmma.cuh"

struct EnergySums {
  float* sums;  // [rows, stride]: a row for every BLOCK tokens
  i64 stride;
  int rows, neurons;
};

// What is squared once more: the values, and the factors of sums of squares.
#if KRAIT_SQUARES
DEV float raised(float x) { return x * x; }
#else
DEV float raised(float x) { return x; }
#endif

// A warpgroup holds 64 neurons x 256 tokens: a thread has 64 tokens of two neurons, spread evenly over all blocks, so
// that most additions happen in its own registers. The four lanes that share two neurons then halve twice what each
// holds: one keeps half of the blocks of one neuron. Every sum is made by one warp in one order. `neuron`: the warp's
// first; `factor`: of the lane's own neuron.
template <int BLOCK>
DEV void store_energies(const float (&acc)[128], const EnergySums& to, int token, int neuron, float factor) {
  constexpr int BLOCKS = 256 / BLOCK;
  const int lane = threadIdx.x & 31, odd = lane & 1, upper = lane >> 1 & 1;
  float sums[BLOCKS][2];  // of two neurons
#pragma unroll
  for (int b = 0; b < BLOCKS; ++b) {
    sums[b][0] = sums[b][1] = 0;
#pragma unroll
    for (int i = 0; i < BLOCK / 2; ++i) {
      const float x = raised(fmaxf(acc[b * (BLOCK / 2) + i], 0.f));
      sums[b][i >> 1 & 1] = fmaf(x, x, sums[b][i >> 1 & 1]);
    }
  }
  const int column = neuron + (lane >> 2) + 8 * odd, first = token / BLOCK + upper * (BLOCKS / 2);
#pragma unroll
  for (int b = 0; b < BLOCKS / 2; ++b) {
    float half[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float low = sums[b][r], high = sums[b + BLOCKS / 2][r];
      half[r] = (upper ? high : low) + __shfl_xor_sync(0xffffffffu, upper ? low : high, 2);
    }
    const float sum = (odd ? half[1] : half[0]) + __shfl_xor_sync(0xffffffffu, odd ? half[0] : half[1], 1);
    if (first + b < to.rows && column < to.neurons) to.sums[(first + b) * to.stride + column] = sum * raised(factor);
  }
}
