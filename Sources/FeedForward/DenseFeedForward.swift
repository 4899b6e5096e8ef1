public import Compute

/// All six products dense; only A is stored.
public final class DenseFeedForward: FeedForwardMethod {
  private let backend: any Backend
  private let shape: FeedForwardShape
  private let activations: [TensorView]
  private let hiddenGradient: TensorView
  private let probe: StatisticsProbe
  private let arena: Arena

  public var statistics: SparsityStatistics?

  /// Allocates [T, f] for every layer that is held and one more for the gradient.
  public init(shape: FeedForwardShape, on backend: any Backend) throws(ComputeError) {
    self.backend = backend
    self.shape = shape
    arena = try Arena(
      byteCount: DenseFeedForward.activationBytes(shape), on: backend,
      purpose: "dense feed-forward activations")
    var activations: [TensorView] = []
    for _ in 0..<shape.heldLayers {
      activations.append(arena.take(rows: shape.tokens, columns: shape.hiddenWidth, shape.storage))
    }
    self.activations = activations
    hiddenGradient = arena.take(rows: shape.tokens, columns: shape.hiddenWidth, shape.storage)
    probe = try StatisticsProbe(hiddenWidth: shape.hiddenWidth, on: backend)
  }

  public var savedBytesPerLayer: Int {
    Arena.bytes(rows: shape.tokens, columns: shape.hiddenWidth, shape.storage)
  }

  /// All that an instance allocates.
  static func bytes(_ shape: FeedForwardShape) -> Int {
    activationBytes(shape) + StatisticsProbe.bytes(hiddenWidth: shape.hiddenWidth)
  }

  private static func activationBytes(_ shape: FeedForwardShape) -> Int {
    (shape.heldLayers + 1)
      * Arena.bytes(rows: shape.tokens, columns: shape.hiddenWidth, shape.storage)
  }

  public func weightsChanged() {}

  /// Tokens stay in place.
  public func route(
    layer: Int, hidden: TensorView, gain: TensorView?
  ) throws(ComputeError) -> TensorView? { nil }

  /// Nowhere.
  public func outputGradientCopy(layer: Int) -> RMSNorm.OrderedCopy? { nil }

  /// Nowhere.
  public func eightBitCopy(layer: Int) -> RMSNorm.EightBitCopy? { nil }

  public func forward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, hasCopy: Bool,
    residual: TensorView, output: TensorView
  ) throws(ComputeError) {
    let activation = activation(layer)
    try recompute(layer: layer, weights: weights, input: input, hasCopy: hasCopy)
    if statistics != nil {
      statistics?.layers[layer] = try probe.measure(dense: activation)
    }
    try backend.run(
      MatrixMultiply(activation, weights.down, into: output, adding: residual))
  }

  public func recompute(
    layer: Int, weights: FeedForwardWeights, input: TensorView, hasCopy: Bool
  ) throws(ComputeError) {
    try backend.run(
      MatrixMultiply(
        input, weights.up, transposeRight: true, into: activation(layer),
        epilogue: .squaredReLU))
  }

  /// A of a layer, in memory of its own or the one that all share.
  private func activation(_ layer: Int) -> TensorView {
    activations[layer % shape.heldLayers]
  }

  public func backward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, outputGradient: TensorView,
    hasCopy: Bool, inputGradient: TensorView
  ) throws(ComputeError) {
    let activation = activation(layer)
    try backend.run(
      MatrixMultiply(
        outputGradient, weights.down, transposeRight: true, into: hiddenGradient,
        epilogue: .timesTwoSqrt(activation)))
    try backend.run(
      MatrixMultiply(
        activation, transposeLeft: true, outputGradient, into: weights.downGradient,
        adding: weights.replacesGradients ? nil : weights.downGradient))
    try backend.run(MatrixMultiply(hiddenGradient, weights.up, into: inputGradient))
    try backend.run(
      MatrixMultiply(
        hiddenGradient, transposeLeft: true, input, into: weights.upGradient,
        adding: weights.replacesGradients ? nil : weights.upGradient))
  }
}
