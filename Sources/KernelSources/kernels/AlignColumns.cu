// Lists of kept neurons in an order that changes little from block to block, in place.
//
// The first list of every `chain` token blocks stays as it is. In the others a neuron that the block before
// kept too takes the slot it had there; the rest fill the free slots, both in ascending order. Afterwards most
// slots keep their neuron, and hopper/weight_gradient_carry.cu carries their sums.
//
// Grid: a block of 1024 threads for each chain, which goes through its lists one after the other. A thread has PER
// neighbouring slots, and as many entries of the next list, in registers; one scan ranks the free slots (low half)
// and the neurons that need one (high half). Lists hold at most 1024 PER different neurons below 65536.
#include "reduce.cuh"

constexpr int THREADS = 1024, MAXIMUM_KEPT = 16384;

template <int PER>
DEV void align(u16* columns, i64 stride, int blocks, int kept, int chain) {
  __shared__ u32 waiting[65536 / 32];    // bit n: neuron n is kept, and has no slot yet
  __shared__ u16 incoming[1024 * PER];   // those neurons, ascending
  __shared__ int scratch[32];
  const int first = blockIdx.x * chain, last = min(blocks, first + chain), slot = threadIdx.x * PER;
  for (int i = threadIdx.x; i < 65536 / 32; i += THREADS) waiting[i] = 0;
  int now[PER], next[PER], ahead[PER];   // -1: there is no such slot
#pragma unroll
  for (int i = 0; i < PER; ++i) {
    now[i] = slot + i < kept ? (int)columns[first * stride + slot + i] : -1;
    ahead[i] = slot + i < kept && first + 1 < last ? (int)columns[(first + 1) * stride + slot + i] : -1;
  }
  __syncthreads();
  for (int b = first + 1; b < last; ++b) {
    u16* const list = columns + b * stride + slot;
#pragma unroll
    for (int i = 0; i < PER; ++i) {
      next[i] = ahead[i];
      if (slot + i < kept && b + 1 < last) ahead[i] = list[stride + i];
      if (next[i] >= 0) atomicOr(&waiting[next[i] >> 5], 1u << (next[i] & 31));
    }
    __syncthreads();
    u32 free = 0;                        // bit i: slot i is free
#pragma unroll
    for (int i = 0; i < PER; ++i) {
      const u32 bit = 1u << (now[i] & 31);
      if (now[i] >= 0 && !(atomicAnd(&waiting[now[i] >> 5], ~bit) & bit)) free |= 1u << i;
    }
    __syncthreads();
    u32 comes = 0;                       // bit i: entry i has no slot yet
#pragma unroll
    for (int i = 0; i < PER; ++i)
      if (next[i] >= 0 && waiting[next[i] >> 5] >> (next[i] & 31) & 1) comes |= 1u << i;
    int all;
    const int ranks = block_scan(__popc(free) | __popc(comes) << 16, scratch, &all);
    int place = ranks >> 16;
#pragma unroll
    for (int i = 0; i < PER; ++i) {
      if (!(comes >> i & 1)) continue;
      incoming[place++] = (u16)next[i];
      atomicAnd(&waiting[next[i] >> 5], ~(1u << (next[i] & 31)));
    }
    __syncthreads();
    place = ranks & 0xffff;
#pragma unroll
    for (int i = 0; i < PER; ++i) {
      if (free >> i & 1) now[i] = incoming[place++];
      if (now[i] >= 0) list[i] = (u16)now[i];
    }
  }
}

KERNEL __launch_bounds__(1024) align_columns_1(u16* columns, i64 stride, int blocks, int kept, int chain) {
  align<1>(columns, stride, blocks, kept, chain);
}
KERNEL __launch_bounds__(1024) align_columns_2(u16* columns, i64 stride, int blocks, int kept, int chain) {
  align<2>(columns, stride, blocks, kept, chain);
}
KERNEL __launch_bounds__(1024) align_columns_16(u16* columns, i64 stride, int blocks, int kept, int chain) {
  static_assert(16 * THREADS == MAXIMUM_KEPT, "the longest lists");
  align<16>(columns, stride, blocks, kept, chain);
}
