import Compute

/// The paper's recipe with a V:N:M pattern of their own for products 4 and 6.
extension SparseFeedForward {
  /// Products 4 and 6 as dense products of what the mask leaves; all rows in the order of positions.
  func venomWeightGradients(
    n: Int, m: Int, weights: FeedForwardWeights, pattern: PackedPattern, packed: TensorView,
    gradient: TensorView, input: TensorView, outputGradient: TensorView
  ) throws(ComputeError) {
    let activation = scratch.dense
    let hiddenGradient = scratch.secondDense
    let pattern = pattern.inPlace
    try backend.run(UnpackColumns(packed: packed, pattern: pattern, values: activation))
    try backend.run(UnpackColumns(packed: gradient, pattern: pattern, values: hiddenGradient))
    try backend.run(
      TransposedVenomMask(
        activation: activation, companion: hiddenGradient,
        order: scratch.stridedOrder,
        blockNeurons: recipe.blockTokens, keep: n, groupTokens: m))
    try backend.run(
      MatrixMultiply(
        activation, transposeLeft: true, outputGradient, into: weights.downGradient,
        adding: weights.downGradient))
    try backend.run(
      MatrixMultiply(
        hiddenGradient, transposeLeft: true, input, into: weights.upGradient,
        adding: weights.upGradient))
  }
}
