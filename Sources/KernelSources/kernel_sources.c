// One #embed for every file of kernels/; a missing one is a compile error here.
#include "include/kernel_sources.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char dependent_launch_cuh[] = {
#embed "kernels/dependent_launch.cuh" suffix(, 0)
};
static const char e4m3_cuh[] = {
#embed "kernels/e4m3.cuh" suffix(, 0)
};
static const char element_cuh[] = {
#embed "kernels/element.cuh" suffix(, 0)
};
static const char pack_cuh[] = {
#embed "kernels/pack.cuh" suffix(, 0)
};
static const char pattern_cuh[] = {
#embed "kernels/pattern.cuh" suffix(, 0)
};
static const char reduce_cuh[] = {
#embed "kernels/reduce.cuh" suffix(, 0)
};
static const char soft_threshold_cuh[] = {
#embed "kernels/soft_threshold.cuh" suffix(, 0)
};
static const char tile_product_cuh[] = {
#embed "kernels/tile_product.cuh" suffix(, 0)
};
static const char two_largest_cuh[] = {
#embed "kernels/two_largest.cuh" suffix(, 0)
};
static const char ActivationStatistics_cu[] = {
#embed "kernels/ActivationStatistics.cu" suffix(, 0)
};
static const char AdamW_cu[] = {
#embed "kernels/AdamW.cu" suffix(, 0)
};
static const char AlignColumns_cu[] = {
#embed "kernels/AlignColumns.cu" suffix(, 0)
};
static const char Attention_cu[] = {
#embed "kernels/Attention.cu" suffix(, 0)
};
static const char BlockSums_cu[] = {
#embed "kernels/BlockSums.cu" suffix(, 0)
};
static const char ClusterRow_cu[] = {
#embed "kernels/ClusterRow.cu" suffix(, 0)
};
static const char ConvertElements_cu[] = {
#embed "kernels/ConvertElements.cu" suffix(, 0)
};
static const char CrossEntropy_cu[] = {
#embed "kernels/CrossEntropy.cu" suffix(, 0)
};
static const char Embedding_cu[] = {
#embed "kernels/Embedding.cu" suffix(, 0)
};
static const char GatherRows_cu[] = {
#embed "kernels/GatherRows.cu" suffix(, 0)
};
static const char KeptProduct_cu[] = {
#embed "kernels/KeptProduct.cu" suffix(, 0)
};
static const char MaskFours_cu[] = {
#embed "kernels/MaskFours.cu" suffix(, 0)
};
static const char MatrixMultiply_cu[] = {
#embed "kernels/MatrixMultiply.cu" suffix(, 0)
};
static const char MoveCentroids_cu[] = {
#embed "kernels/MoveCentroids.cu" suffix(, 0)
};
static const char PackColumns_cu[] = {
#embed "kernels/PackColumns.cu" suffix(, 0)
};
static const char PackedProduct_cu[] = {
#embed "kernels/PackedProduct.cu" suffix(, 0)
};
static const char PackedWeightGradient_cu[] = {
#embed "kernels/PackedWeightGradient.cu" suffix(, 0)
};
static const char RMSNorm_cu[] = {
#embed "kernels/RMSNorm.cu" suffix(, 0)
};
static const char RotaryEmbedding_cu[] = {
#embed "kernels/RotaryEmbedding.cu" suffix(, 0)
};
static const char RouteTokens_cu[] = {
#embed "kernels/RouteTokens.cu" suffix(, 0)
};
static const char SampleTokens_cu[] = {
#embed "kernels/SampleTokens.cu" suffix(, 0)
};
static const char RememberSums_cu[] = {
#embed "kernels/RememberSums.cu" suffix(, 0)
};
static const char SelectColumns_cu[] = {
#embed "kernels/SelectColumns.cu" suffix(, 0)
};
static const char SoftThreshold_cu[] = {
#embed "kernels/SoftThreshold.cu" suffix(, 0)
};
static const char SquaredReLU_cu[] = {
#embed "kernels/SquaredReLU.cu" suffix(, 0)
};
static const char StableSort_cu[] = {
#embed "kernels/StableSort.cu" suffix(, 0)
};
static const char SumOfSquares_cu[] = {
#embed "kernels/SumOfSquares.cu" suffix(, 0)
};
static const char TransposedVenomMask_cu[] = {
#embed "kernels/TransposedVenomMask.cu" suffix(, 0)
};
static const char hopper_eight_bit_cuh[] = {
#embed "kernels/hopper/eight_bit.cuh" suffix(, 0)
};
static const char hopper_energies_cuh[] = {
#embed "kernels/hopper/energies.cuh" suffix(, 0)
};
static const char hopper_epilogue_cuh[] = {
#embed "kernels/hopper/epilogue.cuh" suffix(, 0)
};
static const char hopper_gather_product_cuh[] = {
#embed "kernels/hopper/gather_product.cuh" suffix(, 0)
};
static const char hopper_memory_cuh[] = {
#embed "kernels/hopper/memory.cuh" suffix(, 0)
};
static const char hopper_rotary_cuh[] = {
#embed "kernels/hopper/rotary.cuh" suffix(, 0)
};
static const char hopper_tile_ring_cuh[] = {
#embed "kernels/hopper/tile_ring.cuh" suffix(, 0)
};
static const char hopper_two_four_tiles_cuh[] = {
#embed "kernels/hopper/two_four_tiles.cuh" suffix(, 0)
};
static const char hopper_types_cuh[] = {
#embed "kernels/hopper/types.cuh" suffix(, 0)
};
static const char hopper_wgmma_cuh[] = {
#embed "kernels/hopper/wgmma.cuh" suffix(, 0)
};
static const char hopper_block_energies_cu[] = {
#embed "kernels/hopper/block_energies.cu" suffix(, 0)
};
static const char hopper_cross_entropy_cu[] = {
#embed "kernels/hopper/cross_entropy.cu" suffix(, 0)
};
static const char hopper_dense_product_cu[] = {
#embed "kernels/hopper/dense_product.cu" suffix(, 0)
};
static const char hopper_kept_product_cu[] = {
#embed "kernels/hopper/kept_product.cu" suffix(, 0)
};
static const char hopper_packed_product_cu[] = {
#embed "kernels/hopper/packed_product.cu" suffix(, 0)
};
static const char hopper_route_tokens_cu[] = {
#embed "kernels/hopper/route_tokens.cu" suffix(, 0)
};
static const char hopper_two_four_energies_cu[] = {
#embed "kernels/hopper/two_four_energies.cu" suffix(, 0)
};
static const char hopper_two_four_product_cu[] = {
#embed "kernels/hopper/two_four_product.cu" suffix(, 0)
};
static const char hopper_weight_gradient_cu[] = {
#embed "kernels/hopper/weight_gradient.cu" suffix(, 0)
};
static const char hopper_weight_gradient_carry_cu[] = {
#embed "kernels/hopper/weight_gradient_carry.cu" suffix(, 0)
};
static const char hopper_weight_gradient_runs_cu[] = {
#embed "kernels/hopper/weight_gradient_runs.cu" suffix(, 0)
};

static const krait_kernel_source sources[] = {
    {"dependent_launch.cuh", dependent_launch_cuh},
    {"e4m3.cuh", e4m3_cuh},
    {"element.cuh", element_cuh},
    {"pack.cuh", pack_cuh},
    {"pattern.cuh", pattern_cuh},
    {"reduce.cuh", reduce_cuh},
    {"soft_threshold.cuh", soft_threshold_cuh},
    {"tile_product.cuh", tile_product_cuh},
    {"two_largest.cuh", two_largest_cuh},
    {"ActivationStatistics.cu", ActivationStatistics_cu},
    {"AdamW.cu", AdamW_cu},
    {"AlignColumns.cu", AlignColumns_cu},
    {"Attention.cu", Attention_cu},
    {"BlockSums.cu", BlockSums_cu},
    {"ClusterRow.cu", ClusterRow_cu},
    {"ConvertElements.cu", ConvertElements_cu},
    {"CrossEntropy.cu", CrossEntropy_cu},
    {"Embedding.cu", Embedding_cu},
    {"GatherRows.cu", GatherRows_cu},
    {"KeptProduct.cu", KeptProduct_cu},
    {"MaskFours.cu", MaskFours_cu},
    {"MatrixMultiply.cu", MatrixMultiply_cu},
    {"MoveCentroids.cu", MoveCentroids_cu},
    {"PackColumns.cu", PackColumns_cu},
    {"PackedProduct.cu", PackedProduct_cu},
    {"PackedWeightGradient.cu", PackedWeightGradient_cu},
    {"RMSNorm.cu", RMSNorm_cu},
    {"RotaryEmbedding.cu", RotaryEmbedding_cu},
    {"RouteTokens.cu", RouteTokens_cu},
    {"SampleTokens.cu", SampleTokens_cu},
    {"RememberSums.cu", RememberSums_cu},
    {"SelectColumns.cu", SelectColumns_cu},
    {"SoftThreshold.cu", SoftThreshold_cu},
    {"SquaredReLU.cu", SquaredReLU_cu},
    {"StableSort.cu", StableSort_cu},
    {"SumOfSquares.cu", SumOfSquares_cu},
    {"TransposedVenomMask.cu", TransposedVenomMask_cu},
    {"hopper/eight_bit.cuh", hopper_eight_bit_cuh},
    {"hopper/energies.cuh", hopper_energies_cuh},
    {"hopper/epilogue.cuh", hopper_epilogue_cuh},
    {"hopper/gather_product.cuh", hopper_gather_product_cuh},
    {"hopper/memory.cuh", hopper_memory_cuh},
    {"hopper/rotary.cuh", hopper_rotary_cuh},
    {"hopper/tile_ring.cuh", hopper_tile_ring_cuh},
    {"hopper/two_four_tiles.cuh", hopper_two_four_tiles_cuh},
    {"hopper/types.cuh", hopper_types_cuh},
    {"hopper/wgmma.cuh", hopper_wgmma_cuh},
    {"hopper/block_energies.cu", hopper_block_energies_cu},
    {"hopper/cross_entropy.cu", hopper_cross_entropy_cu},
    {"hopper/dense_product.cu", hopper_dense_product_cu},
    {"hopper/kept_product.cu", hopper_kept_product_cu},
    {"hopper/packed_product.cu", hopper_packed_product_cu},
    {"hopper/route_tokens.cu", hopper_route_tokens_cu},
    {"hopper/two_four_energies.cu", hopper_two_four_energies_cu},
    {"hopper/two_four_product.cu", hopper_two_four_product_cu},
    {"hopper/weight_gradient.cu", hopper_weight_gradient_cu},
    {"hopper/weight_gradient_carry.cu", hopper_weight_gradient_carry_cu},
    {"hopper/weight_gradient_runs.cu", hopper_weight_gradient_runs_cu},
};

size_t krait_kernel_source_count(void) { return sizeof sources / sizeof sources[0]; }

krait_kernel_source krait_kernel_source_at(size_t index) { return sources[index]; }
