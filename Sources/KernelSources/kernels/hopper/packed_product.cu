// Products 2 and 5 on Hopper: packed values times gathered rows, written to where the tokens came from.
//
//   out[order[p], n] = sum_j packed[p, j] W[list(p / V)[j], n]            packed_store_C
//                    + residual[order[p], n] (which may be out itself)    packed_add_C
//
// Launch as kept_product.cu says, with N tiles over d: `packed` maps [T, K], box 64 x 128 / C; group as in HopperTiles; order
// may be null. bf16; V a multiple of 128, K a multiple of 64, d a multiple of 8; W and residual under 4 GiB.
//
// Floor: the arithmetic of kept_product.cu; memory 32 MB + 67 MB + 134 MB, 0.08 ms at 3 TB/s. There are twice as
// many tiles, half as deep, as in product 1, so the epilogue (64 KiB of stores per tile, during which the tensor
// pipes idle) weighs twice as much.
// Reached on one H100 80GB HBM3 (700 W), 2026-11-25, Benchmarks/kernels/sparse_products.py --time, in turns with
// cuBLAS: stored 0.249 to 0.260 ms, 6.0x to 6.1x dense [0.490 ms, 6.8x]; added 0.282 ms, 5.6x torch.addmm [0.536 ms,
// 6.3x].
//
// Versions tried (stored, first shape, same machine):
//   0.335  Triton, 128 x 256 x 64, on an H200 (the prototype)
//   0.288  this pipeline with 64-bit row addresses computed for every copy
//   0.260  one 32-bit offset per row, fetched a stage ahead, across tiles too
//   0.255  predicated stores in the epilogue instead of branches, row pointers computed under the first products
//   added: 0.300 with the residual's rows looked up four at a time in the producer, 0.325 with loads in the epilogue
//   straight from memory (their latency shows), 0.282 with all row offsets looked up at once
//   stored 0.252 to 0.248 [0.496 to 0.490] with half a tile's stores under the next tile's products; added: no gain
//   T 49152, d 768, K 384: stored 81 us, added 104; 62 and 86 with all three tiles of columns at a time, for which packed
//   values then come from memory once (floors 38 and 63 us at 3 TB/s); before: memory at 69 and 76 % of its rate, L2 at 73 and 78
//   rejected: clusters of three for d 768, rows of packed values loaded in turns (96 us for 81: not all fit the GPU)
//   rejected: all stores deferred, for a ring of three stages: 0.261 [0.513]
#include "hopper/gather_product.cuh"

#define PACKED(NAME, CLUSTER, EPILOGUE)                                                                             \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1) __launch_bounds__(384, 1)                              \
      NAME(const __grid_constant__ TensorMap packed, const bf16* __restrict__ weights, i64 weight_stride,           \
           const u16* __restrict__ lists, int list_stride, int kept, int width, int tokens, int block_tokens,       \
           const int* __restrict__ order, const bf16* residual, i64 residual_stride, bf16* out, i64 out_stride,     \
           int group) {                                                                                             \
    extern __shared__ __align__(1024) u8 shared[];                                                                  \
    const GatherArguments arguments = {weights, weight_stride, lists, list_stride, kept, width,                      \
                                       tokens,  block_tokens,  order, nullptr,     0,    residual,                   \
                                       residual_stride, out, out_stride, group};                                    \
    GatherProduct<true, 256, CLUSTER, EPILOGUE, false>::run(&packed, arguments, shared);                                 \
  }

PACKED(packed_store_1, 1, STORE)
PACKED(packed_store_2, 2, STORE)
PACKED(packed_add_1, 1, ADD)
PACKED(packed_add_2, 2, ADD)
