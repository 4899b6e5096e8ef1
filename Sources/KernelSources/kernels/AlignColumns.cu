// Lists of kept neurons in an order that changes little from block to block, in place.
//
// The first list of every `chain` token blocks stays as it is. In the others a neuron that the block before
// kept too takes the slot it had there; the rest fill the free slots, both in ascending order. Afterwards most
// slots keep their neuron, and hopper/weight_gradient_carry.cu carries their sums.
//
// Grid: a block for each chain. A thread has PER neighbouring slots, and there are as many warps as that takes: all of
// them wait for each other after every list. Lists hold at most 1024 PER different neurons below 65536.
//
// align_columns_1, _2, _4: seven lists at a time. Which of them keep a neuron (and whether the list before does) are the
// bits of a byte in shared memory, so that the neurons that come with each list can be ranked for all of them at once.
// Then list after list: a slot sees in its byte whether it becomes free, free slots are ranked, one barrier for each
// list. 64 KiB and 14 PER bytes a thread of dynamic shared memory.
// 384 lists of 384 neurons, one H200, krait bench ffn, 2026-11-26: 27 us with 1024 threads, 19 with 384. 128 lists of 4096: 85
// us; one after the other 296.
// align_columns_16, for longer lists: 1024 threads; one after the other; one scan ranks the free slots (low half) and the neurons
// that need one (high half).
#include "reduce.cuh"

constexpr int THREADS = 1024, MAXIMUM_KEPT = 16384, GROUP = 7;

// The bits of a neuron: bit i + 1 for list i of a group, bit 0 for the list before it.
DEV u32 bits_of(const u32* kept_by, int neuron) { return kept_by[neuron >> 2] >> (neuron & 3) * 8; }
DEV void set_bit(u32* kept_by, int neuron, int bit) { atomicOr(&kept_by[neuron >> 2], 1u << (bit + (neuron & 3) * 8)); }

// Ranks flags in the order of threads and, within a thread, of places: notes the warp's count, and returns how many
// are set in lower lanes. lower_warps adds the rest after a barrier.
template <int PER>
DEV int rank_in_warp(const bool (&flags)[PER], int* warp_counts) {
  const u32 below = (1u << (threadIdx.x & 31)) - 1;
  int rank = 0, all = 0;
#pragma unroll
  for (int e = 0; e < PER; ++e) {
    const u32 votes = __ballot_sync(0xffffffffu, flags[e]);
    rank += __popc(votes & below), all += __popc(votes);
  }
  if ((threadIdx.x & 31) == 0) warp_counts[threadIdx.x >> 5] = all;
  return rank;
}
DEV int lower_warps(const int* warp_counts) {
  const int lane = threadIdx.x & 31;
  return __reduce_add_sync(0xffffffffu, lane < (int)(threadIdx.x >> 5) ? warp_counts[lane] : 0);
}

template <int PER>
DEV void align_groups(u16* columns, i64 stride, int blocks, int kept, int chain) {
  extern __shared__ __align__(16) u32 kept_by[];            // 65536 bytes of bits
  u16* const incoming = (u16*)(kept_by + 65536 / 4);        // [GROUP][threads PER]: who comes, ascending
  __shared__ int coming[GROUP][32], leaving[2][32];
  const int first = blockIdx.x * chain, last = min(blocks, first + chain), slot = threadIdx.x * PER, threads = blockDim.x;
  const auto read = [=](int block, int e) {                 // -1: there is no such entry
    return block < last && slot + e < kept ? (int)columns[block * stride + slot + e] : -1;
  };
  int now[PER], next[GROUP][PER];
#pragma unroll
  for (int e = 0; e < PER; ++e) now[e] = read(first, e);
#pragma unroll
  for (int i = 0; i < GROUP; ++i)
#pragma unroll
    for (int e = 0; e < PER; ++e) next[i][e] = read(first + 1 + i, e);
  for (int start = first + 1; start < last; start += GROUP) {
    for (int i = threadIdx.x; i < 65536 / 16; i += blockDim.x) ((uint4*)kept_by)[i] = make_uint4(0, 0, 0, 0);
    __syncthreads();
#pragma unroll
    for (int e = 0; e < PER; ++e) {
      if (now[e] >= 0) set_bit(kept_by, now[e], 0);
#pragma unroll
      for (int i = 0; i < GROUP; ++i)
        if (next[i][e] >= 0) set_bit(kept_by, next[i][e], i + 1);
    }
    __syncthreads();
    bool comes[GROUP][PER];
    int ranks[GROUP];
#pragma unroll
    for (int i = 0; i < GROUP; ++i) {
#pragma unroll
      for (int e = 0; e < PER; ++e) comes[i][e] = next[i][e] >= 0 && !(bits_of(kept_by, next[i][e]) >> i & 1);
      ranks[i] = rank_in_warp<PER>(comes[i], coming[i]);
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < GROUP; ++i) {
      u16* to = incoming + i * threads * PER + lower_warps(coming[i]) + ranks[i];
#pragma unroll
      for (int e = 0; e < PER; ++e) {
        if (comes[i][e]) *to++ = (u16)next[i][e];
        next[i][e] = read(start + GROUP + i, e);            // of the next group, while this one is worked on
      }
    }
    u32 bits[PER];
#pragma unroll
    for (int e = 0; e < PER; ++e) bits[e] = now[e] >= 0 ? bits_of(kept_by, now[e]) : 0xff;
    for (int i = 0; i < GROUP && start + i < last; ++i) {
      bool leaves[PER];
#pragma unroll
      for (int e = 0; e < PER; ++e) leaves[e] = !(bits[e] >> (i + 1) & 1);
      const int rank = rank_in_warp<PER>(leaves, leaving[i & 1]);
      __syncthreads();
      const u16* from = incoming + i * threads * PER + lower_warps(leaving[i & 1]) + rank;
#pragma unroll
      for (int e = 0; e < PER; ++e) {
        if (leaves[e]) {
          now[e] = *from++;
          bits[e] = bits_of(kept_by, now[e]);
        }
        if (now[e] >= 0) columns[(start + i) * stride + slot + e] = (u16)now[e];
      }
    }
    __syncthreads();
  }
}

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
  begin_kernel();
  align_groups<1>(columns, stride, blocks, kept, chain);
}
KERNEL __launch_bounds__(1024) align_columns_2(u16* columns, i64 stride, int blocks, int kept, int chain) {
  begin_kernel();
  align_groups<2>(columns, stride, blocks, kept, chain);
}
KERNEL __launch_bounds__(1024) align_columns_4(u16* columns, i64 stride, int blocks, int kept, int chain) {
  begin_kernel();
  align_groups<4>(columns, stride, blocks, kept, chain);
}
KERNEL __launch_bounds__(1024) align_columns_16(u16* columns, i64 stride, int blocks, int kept, int chain) {
  begin_kernel();
  static_assert(16 * THREADS == MAXIMUM_KEPT, "the longest lists");
  align<16>(columns, stride, blocks, kept, chain);
}
