// out = X Wᵀ for a W of at most 64 rows, bf16 in, fp32 out: the router's scores.
//
// The work is reading X once. A block of eight warps owns 64 rows of X: two halves of 32 rows, four quarters of the
// contraction, whose sums meet in shared memory, added in order. Operands go from memory to the registers of mma
// in 16-byte loads: a lane holds 8 neighbours along the contraction where mma wants 2 + 2 for each of two steps;
// the same renaming of k on both sides changes nothing. W comes from the caches.
//
// Grid ceil(rows / 64); depth a multiple of 32, columns of 8; X and W at multiples of 16 bytes with strides of 8;
// X smaller than 4 Gi values.
// Floor: X once: T 16384, d 4096: 134 MB, 0.048 ms at 2.8 TB/s [d 768: 0.009]. cuBLASLt took 0.067 ms [0.030].
#include "element.cuh"

#if KRAIT_BFLOAT16
DEV void mma(float (&c)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// TILES groups of 8 rows of W.
template <int TILES>
DEV void skinny(const element* x, i64 x_stride, const element* w, i64 w_stride, float* out, i64 out_stride, i64 rows,
                int columns, int depth, float* shared) {
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, half = warp & 1, quarter = warp >> 1;
  const int g = lane >> 2, q = lane & 3;
  const i64 first = (i64)blockIdx.x * 64 + half * 32;
  u32 from[4];  // rows past the end read the last one
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const i64 row = first + 8 * i + g;
    from[i] = (u32)((row < rows ? row : rows - 1) * x_stride + 8 * q);
  }
  w += g * w_stride + 8 * q;
  float sums[2][TILES][4];
#pragma unroll
  for (int m = 0; m < 2; ++m) {
#pragma unroll
    for (int n = 0; n < TILES; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[m][n][i] = 0.0f;
    }
  }
  const int steps = depth / 32, end = steps * (quarter + 1) / 4;
  int k = steps * quarter / 4;
  uint4 next[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) next[i] = *(const uint4*)(x + (from[i] + 32 * min(k, steps - 1)));
#pragma unroll 1
  for (; k < end; ++k) {
    uint4 a[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      a[i] = next[i];
      next[i] = *(const uint4*)(x + (from[i] + 32 * min(k + 1, steps - 1)));
    }
#pragma unroll
    for (int n = 0; n < TILES; ++n) {
      if (8 * n >= columns) break;
      const uint4 b = *(const uint4*)(w + 8 * n * w_stride + 32 * k);
#pragma unroll
      for (int m = 0; m < 2; ++m) {
        mma(sums[m][n], a[2 * m].x, a[2 * m + 1].x, a[2 * m].y, a[2 * m + 1].y, b.x, b.y);
        mma(sums[m][n], a[2 * m].z, a[2 * m + 1].z, a[2 * m].w, a[2 * m + 1].w, b.z, b.w);
      }
    }
  }
  // Sums i of a lane: row g + 8 (i / 2), column 2 q + i mod 2 of their 16 x 8 tile.
  constexpr int SUMS = 2 * TILES * 4;
  float* own = shared + (half * 3 * SUMS) * 32 + lane;
  if (quarter > 0) {
#pragma unroll
    for (int i = 0; i < SUMS; ++i) own[((quarter - 1) * SUMS + i) * 32] = sums[i / (4 * TILES)][i / 4 % TILES][i % 4];
  }
  __syncthreads();
  if (quarter > 0) return;
#pragma unroll
  for (int i = 0; i < SUMS; ++i) {
    float sum = sums[i / (4 * TILES)][i / 4 % TILES][i % 4];
#pragma unroll
    for (int part = 0; part < 3; ++part) sum += own[(part * SUMS + i) * 32];
    const i64 row = first + 16 * (i / (4 * TILES)) + g + 8 * (i % 4 / 2);
    const int column = 8 * (i / 4 % TILES) + 2 * q + i % 2;
    if (row < rows && column < columns) out[row * out_stride + column] = sum;
  }
}

#define SKINNY(TILES)                                                                                             \
  KERNEL __launch_bounds__(256, 2) skinny_##TILES(const element* __restrict__ x, i64 x_stride,                    \
                                                  const element* __restrict__ w, i64 w_stride,                    \
                                                  float* __restrict__ out, i64 out_stride, i64 rows, int columns, \
                                                  int depth) {                                                    \
    __shared__ float shared[2 * 3 * 2 * TILES * 4 * 32];                                                          \
    skinny<TILES>(x, x_stride, w, w_stride, out, out_stride, rows, columns, depth, shared);                       \
  }

SKINNY(2)
SKINNY(4)
SKINNY(6)
SKINNY(8)
#endif
