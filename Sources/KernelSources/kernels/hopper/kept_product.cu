// Products 1 and 3 on Hopper: kept entries only, packed.
//
//   out[p, j] = epilogue(sum_k rows[p, k] W[list(p / V)[j], k])
//   kept_squared_relu_C: max(x, 0)^2      kept_two_sqrt_C: x 2 sqrt(activation[p, j])
//   ..._N_1 and ..._N_2: `input` maps the rows already in token order (box 64 x 128 / C, 128-byte swizzle);
//   ..._ordered_N_1: the kernel gathers row order[p] itself, `rows` and `row_stride` say from where.
//   N: columns of a tile, 256, or 192 where that pads K less (K 384 is two tiles of 192, not one and a half of 256); 128
//   where K is no more, without clusters.
//
// Launch: 384 threads, 229504 bytes of shared memory, clusters of C (the names' last digit; 2 pays when the
// number of N tiles is even), grid min(tiles, multiprocessors) rounded down to a multiple of C, where tiles =
// ceil(T / 128) * ceil(K / (N C)) * C. group: 2, or 1 without a cluster in order. bf16; V a multiple of 128,
// d a multiple of 64, K a multiple of 8; W, rows and activation under 4 GiB. A last short block is fine.
//
// Floor at T 32768, d 2048, f 8192, K 1024, V 128 (T 16384, d 4096, f 16384, K 2048 in brackets):
//   137 GFLOP [275]: 0.139 ms [0.278] at 989 TFLOP/s, 0.205 [0.41] at the rate cuBLAS sustains on random data
//   (665 to 675 TFLOP/s, held back by power); 235 MB [403] of memory traffic, 0.08 ms [0.13] at 3 TB/s; every
//   block's weights through L2 once, 1.07 GB [2.15].
// Reached on one H100 80GB HBM3 (700 W), 2026-11-25, Benchmarks/kernels/sparse_products.py --time, in turns with
// cuBLAS: squared ReLU 0.230 ms, 7.2x dense [0.433 ms, 7.7x]; two sqrt 0.250 ms, 6.6x [0.453 ms, 7.4x]; rows
// gathered by the kernel 0.236 ms, 7.0x [0.48 to 0.58 ms, 5.7x to 6.8x].
//
// Versions tried (squared ReLU, first shape, same machine):
//   0.301  Triton, 128 x 256 x 64, on an H200 (the prototype)
//   0.268  this pipeline, one block at a time, 128-byte L2 fetches; 0.258 in clusters of 2
//   0.249  256-byte L2 fetches (best case; 0.265 in a warm, power-limited rotation, whatever the cluster or order)
//   0.230  row offsets in 32 bits, computed once, no predicates: the producer's address arithmetic, not memory,
//          had been the limit (1356 clocks a stage; tensor pipes 69% busy against cuBLAS's 91%)
//   0.226  half a tile's stores under the next tile's products; 0.224 with two tiles of columns at a time (group 2;
//          second shape 0.448, 0.443, 0.441; rows gathered by the kernel 0.516, 0.513, 0.542, 0.611 in groups of 1, 2,
//          4, 8)
//   T 49152, d 768, K 384: squared ReLU 56 us, two sqrt 69, rows gathered by the kernel 61 (floors 38 and 50 us at 3 TB/s):
//   memory at 60 to 67 % of its rate, L2 at 66 to 75 %, tensor pipes at 47 to 57 %; nothing in between is idle enough to win
//   T 49152, d 768, K 128, in training steps on an H200: 60 and 68 us by tiles of 192, whose last third copies one row again and
//   again; 29 and 33 by tiles of 128 (CUPTI, medians of 16 steps, one card)
//   rejected: tiles that begin at different parts of the contraction, against blocks that ask for the same rows at once (no change)
//   rejected: all of a tile's stores deferred, for a ring of three stages: 0.253 [0.480]
//   rejected: single-row TMA boxes for the rows of A (31 ns per box whatever its size: 1.01 ms); clusters of 4 (not
//   all fit: 0.43 ms); L2 eviction hints (no change); prefetching into L2 six stages ahead (0.31 ms); one
//   consumer warpgroup half a tile behind the other (no change); no proxy fence (no change, and not allowed).
#include "hopper/gather_product.cuh"

#define KEPT(NAME, BN, CLUSTER, EPILOGUE, ORDERED)                                                                  \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)                              \
      NAME(const __grid_constant__ TensorMap input, const bf16* __restrict__ weights, i64 weight_stride,            \
           const u16* __restrict__ lists, int list_stride, int kept, int width, int tokens, int block_tokens,       \
           const int* __restrict__ order, const bf16* __restrict__ rows, i64 row_stride,                            \
           const bf16* __restrict__ activation, i64 activation_stride, bf16* __restrict__ out, i64 out_stride,      \
           int group) {                                                                                             \
    extern __shared__ __align__(1024) u8 shared[];                                                                  \
    const GatherArguments arguments = {weights, weight_stride,     lists, list_stride, kept,       width,             \
                                       tokens,  block_tokens,      order, rows,        row_stride, activation,        \
                                       activation_stride, out, out_stride, group};                                  \
    GatherProduct<false, BN, CLUSTER, EPILOGUE, ORDERED>::run(&input, arguments, shared);                               \
  }

KEPT(kept_squared_relu_256_1, 256, 1, SQUARED_RELU, false)
KEPT(kept_squared_relu_256_2, 256, 2, SQUARED_RELU, false)
KEPT(kept_squared_relu_ordered_256_1, 256, 1, SQUARED_RELU, true)
KEPT(kept_squared_relu_192_1, 192, 1, SQUARED_RELU, false)
KEPT(kept_squared_relu_192_2, 192, 2, SQUARED_RELU, false)
KEPT(kept_squared_relu_ordered_192_1, 192, 1, SQUARED_RELU, true)
KEPT(kept_two_sqrt_256_1, 256, 1, TIMES_TWO_SQRT, false)
KEPT(kept_two_sqrt_256_2, 256, 2, TIMES_TWO_SQRT, false)
KEPT(kept_two_sqrt_ordered_256_1, 256, 1, TIMES_TWO_SQRT, true)
KEPT(kept_two_sqrt_192_1, 192, 1, TIMES_TWO_SQRT, false)
KEPT(kept_two_sqrt_192_2, 192, 2, TIMES_TWO_SQRT, false)
KEPT(kept_two_sqrt_ordered_192_1, 192, 1, TIMES_TWO_SQRT, true)
KEPT(kept_squared_relu_128_1, 128, 1, SQUARED_RELU, false)
KEPT(kept_squared_relu_ordered_128_1, 128, 1, SQUARED_RELU, true)
KEPT(kept_two_sqrt_128_1, 128, 1, TIMES_TWO_SQRT, false)
KEPT(kept_two_sqrt_ordered_128_1, 128, 1, TIMES_TWO_SQRT, true)
