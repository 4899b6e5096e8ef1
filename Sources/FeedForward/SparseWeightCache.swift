public import Compute

/// The weights as the sparse phase sees them: `beta · S(w)`, 2:4 soft-thresholded.
///
/// Computed once per layer and optimizer step. beta is frozen when sparsity is switched on.
/// Gradients of these weights go, unscaled, to every dense weight (straight-through).
public final class SparseWeightCache {
  /// beta of U for every layer; 1 until `freezeScales`.
  public private(set) var upScales: [Float]
  /// beta of D for every layer.
  public private(set) var downScales: [Float]
  /// Which projections are thresholded.
  public let which: SparseWeights
  private let backend: any Backend
  private var up: [TensorView] = []
  private var down: [TensorView] = []
  private var isCurrent: [Bool]
  private let moments: TensorView?
  private let arena: Arena?

  /// Memory for a copy of the projections named by `which`, for every layer.
  public init(
    shape: FeedForwardShape, which: SparseWeights, on backend: any Backend
  ) throws(ComputeError) {
    self.which = which
    self.backend = backend
    upScales = Array(repeating: 1, count: shape.layers)
    downScales = Array(repeating: 1, count: shape.layers)
    isCurrent = Array(repeating: false, count: shape.layers)
    guard which != .none else {
      arena = nil
      moments = nil
      return
    }
    let copies = shape.layers * (which == .both ? 2 : 1)
    let arena = try Arena(
      byteCount: copies * Arena.bytes(rows: shape.hiddenWidth, columns: shape.width)
        + Arena.bytes(rows: 1, columns: 2),
      on: backend, purpose: "2:4 weights")
    for _ in 0..<shape.layers {
      up.append(arena.take(rows: shape.hiddenWidth, columns: shape.width))
      if which == .both {
        down.append(arena.take(rows: shape.hiddenWidth, columns: shape.width))
      }
    }
    moments = arena.take(rows: 1, columns: 2)
    self.arena = arena
  }

  /// Computes beta = <w, S(w)> / <S(w), S(w)> of every matrix from its present weights.
  public func freezeScales(_ weights: [FeedForwardWeights]) throws(ComputeError) {
    for (layer, layerWeights) in weights.enumerated() {
      if which != .none { upScales[layer] = try scale(of: layerWeights.up) }
      if which == .both { downScales[layer] = try scale(of: layerWeights.down) }
    }
    weightsChanged()
  }

  /// Takes scales from a checkpoint.
  public func setScales(up: [Float], down: [Float]) {
    precondition(up.count == upScales.count && down.count == downScales.count, "scales of layers")
    upScales = up
    downScales = down
    weightsChanged()
  }

  /// Forgets the thresholded copies.
  public func weightsChanged() {
    for layer in isCurrent.indices { isCurrent[layer] = false }
  }

  /// The projections that the products of this step use.
  func effective(
    layer: Int, _ weights: FeedForwardWeights
  ) throws(ComputeError) -> (up: TensorView, down: TensorView) {
    if which == .none { return (weights.up, weights.down) }
    if !isCurrent[layer] {
      try backend.run(
        SoftThreshold(weights: weights.up, output: up[layer], scale: upScales[layer]))
      if which == .both {
        try backend.run(
          SoftThreshold(weights: weights.down, output: down[layer], scale: downScales[layer]))
      }
      isCurrent[layer] = true
    }
    return (up[layer], which == .both ? down[layer] : weights.down)
  }

  private func scale(of weights: TensorView) throws(ComputeError) -> Float {
    guard let moments else { return 1 }
    try backend.run(SoftThresholdMoments(weights: weights, result: moments))
    let two = try backend.read(moments)
    // Only a matrix whose S(w) vanishes (all magnitudes of every four equal) has no beta.
    return two[1] > 0 ? two[0] / two[1] : 1
  }
}
