// Types and shared-memory layouts of the Hopper kernels: pure arithmetic, no instructions.
#pragma once
#include "dependent_launch.cuh"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef u16 bf16;  // raw bits; arithmetic happens in fp32 or in the tensor cores

struct alignas(128) TensorMap {  // CUtensorMap
  u64 opaque[16];
};

#define DEV __device__ __forceinline__

// Descriptor of a wgmma operand in 128-byte-swizzled shared memory. Lengths are bytes, stored >> 4.
DEV constexpr u64 descriptor_fields(u32 lead, u32 stride) {
  return (u64)((lead >> 4) & 0x3fff) << 16 | (u64)((stride >> 4) & 0x3fff) << 32 | (u64)1 << 62;
}
DEV constexpr u64 descriptor_address(u32 address) { return (address & 0x3ffffu) >> 4; }

// K-major: a row (an M or N index) is 128 bytes, 64 values of K. One k16 step is 32 bytes further.
DEV constexpr u64 descriptor_k_major(u32 address) {
  return descriptor_address(address) | descriptor_fields(16, 1024);
}
// MN-major: each k is 128 bytes, 64 values of M or N; panels of 64 lie `panel_bytes` apart. One k16
// step is 2048 bytes further.
DEV constexpr u64 descriptor_mn_major(u32 address, u32 panel_bytes) {
  return descriptor_address(address) | descriptor_fields(panel_bytes, 1024);
}

// The sparse operand, 2:4 and K-major with 64-byte swizzle: a row is 64 bytes, 32 kept of 64 values of K.
DEV constexpr u64 descriptor_two_four(u32 address) {
  return descriptor_address(address) | (u64)1 << 16 | (u64)(512 >> 4) << 32 | (u64)2 << 62;
}
DEV constexpr u32 two_four_chunk(u32 row, u32 chunk) { return row * 64 + ((chunk ^ (row >> 1 & 3)) << 4); }

// Where a 16-byte chunk (8 values) of a 128-byte-swizzled tile goes; tiles start at multiples of 1024.
DEV constexpr u32 swizzled_chunk(u32 tile, u32 row, u32 chunk) {
  return tile + row * 128 + ((chunk ^ (row & 7)) << 4);
}
// The same in a tile of several 64-value panels: `chunk` counts over the whole row.
DEV constexpr u32 panel_chunk(u32 tile, u32 panel_bytes, u32 row, u32 chunk) {
  return swizzled_chunk(tile + (chunk >> 3) * panel_bytes, row, chunk & 7);
}
