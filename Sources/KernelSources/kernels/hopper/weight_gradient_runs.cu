// The second half of reproducible products 4 and 6: dW[n] += the runs of neuron n, in the order of token blocks.
//
// A run is the sum of one neuron over consecutive blocks that keep it in the same slot. carry_store of
// weight_gradient_carry.cu leaves it at runs[b K + j], b the run's last block and j its slot. run_ends notes where
// every neuron's runs end; add_runs goes through them. What is added to what, and in which order, follows from the
// lists alone.
//
// Reached with carry_store, 2026-11-25, krait bench ffn on an H200 with random inputs, whose lists change by about a
// half: T 49152, d 768, f 3072 0.177 ms, 1.7x dense; T 16384, d 2048, f 8192 0.41 ms, 1.6x; weight_gradient.cu, which
// carries nothing, took 0.41 and 0.79. H100, lists that change by 0.15, T 32768, d 2048, f 8192, spans of 16: 0.60 ms,
// 2.2x (add_runs 0.27 of it); 512 columns at a time; 256 at a time 0.67.
#include "hopper/types.cuh"

// ends[n, b]: 1 + the slot of block b in which a run of neuron n ends; 0, as the caller has set them: none.
// Grid: a block of threads for each token block. Items of carry_store are `span` blocks long: runs end there.
extern "C" __global__ void run_ends(const u16* __restrict__ lists, i64 stride, int kept, int blocks, int span,
                                    u16* __restrict__ ends) {
  begin_kernel();
  const int b = blockIdx.x;
  const u16* const list = lists + b * stride;
  const bool last = b + 1 == blocks || (b + 1) % span == 0;
  for (int j = threadIdx.x; j < kept; j += blockDim.x)
    if (last || list[j] != list[j + stride]) ends[(i64)list[j] * blocks + b] = (u16)(j + 1);
}

// Grid: (neurons / 8 rounded up, columns / 256 rounded up), 256 threads: a warp for each neuron and 256 columns.
// Columns a multiple of 4, rows at multiples of 16 bytes.
extern "C" __global__ void __launch_bounds__(256)
    add_runs(float* gradient, i64 gradient_stride, const float* __restrict__ runs, i64 runs_stride,
             const u16* __restrict__ ends, int neurons, int blocks, int kept, int columns) {
  begin_kernel();
  const int neuron = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (neuron >= neurons) return;
  const int column = blockIdx.y * 256 + lane * 4;
  const bool inside[2] = {column < columns, column + 128 < columns};
  const int at[2] = {inside[0] ? column : 0, inside[1] ? column + 128 : 0};
  float* const to = gradient + neuron * gradient_stride;
  float4 sum[2] = {};
  bool any = false;
  for (int first = 0; first < blocks; first += 32) {
    const int slot = first + lane < blocks ? (int)ends[(i64)neuron * blocks + first + lane] : 0;
    u32 left = __ballot_sync(0xffffffffu, slot != 0);
    if (left && !any) {
      any = true;
#pragma unroll
      for (int h = 0; h < 2; ++h)
        if (inside[h]) sum[h] = *(const float4*)(to + at[h]);
    }
    int block = 0;
    while (left) {  // four runs at a time are on their way; the last one again where there are fewer
      float4 run[4][2];
      bool there[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        there[i] = left != 0;
        if (left) block = __ffs((int)left) - 1;
        const int j = __shfl_sync(0xffffffffu, slot, block);
        const float* const from = runs + ((i64)(first + block) * kept + j - 1) * runs_stride;
#pragma unroll
        for (int h = 0; h < 2; ++h) run[i][h] = *(const float4*)(from + at[h]);
        left &= left - 1;  // 0 stays 0
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int h = 0; h < 2; ++h)
          if (there[i])
            sum[h].x += run[i][h].x, sum[h].y += run[i][h].y, sum[h].z += run[i][h].z, sum[h].w += run[i][h].w;
    }
  }
  if (!any) return;
#pragma unroll
  for (int h = 0; h < 2; ++h)
    if (inside[h]) *(float4*)(to + at[h]) = sum[h];
}
