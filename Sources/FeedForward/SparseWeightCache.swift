public import Compute

/// The weights as the sparse phase sees them: `beta · S(w)`, 2:4 soft-thresholded.
///
/// Computed once per layer and optimizer step. beta is computed when sparsity is first switched on
/// and never again.
/// Gradients of these weights go, unscaled, to every dense weight (straight-through).
public final class SparseWeightCache {
  /// beta of U for every layer; 1 until `setScales`.
  public private(set) var upScales: [Float]
  /// beta of D for every layer.
  public private(set) var downScales: [Float]
  /// Which projections are thresholded.
  public let which: SparseWeights
  private let backend: any Backend
  private var up: [TensorView] = []
  private var down: [TensorView] = []
  private var eightBitUp: [Int: TensorView] = [:]
  private var isCurrent: [Bool]
  private let arena: Arena?

  /// Memory for a copy of the projections named by `which`, for every layer, and of U for another in 8
  /// bits in those layers whose columns may be chosen by them.
  public init(
    shape: FeedForwardShape, which: SparseWeights, eightBitLayers: Set<Int> = [],
    on backend: any Backend
  ) throws(ComputeError) {
    self.which = which
    self.backend = backend
    upScales = Array(repeating: 1, count: shape.layers)
    downScales = Array(repeating: 1, count: shape.layers)
    isCurrent = Array(repeating: false, count: shape.layers)
    guard which != .none else {
      arena = nil
      return
    }
    let arena = try Arena(
      byteCount: SparseWeightCache.bytes(shape, which: which, eightBitLayers: eightBitLayers),
      on: backend, purpose: "2:4 weights")
    for layer in 0..<shape.layers {
      up.append(arena.take(rows: shape.hiddenWidth, columns: shape.width, shape.storage))
      if which == .both {
        down.append(arena.take(rows: shape.hiddenWidth, columns: shape.width, shape.storage))
      }
      if let words = SparseWeightCache.eightBitWords(shape, eightBitLayers.contains(layer)) {
        eightBitUp[layer] = arena.take(rows: 1, columns: words, .uint16)
      }
    }
    self.arena = arena
  }

  /// Bytes of the copies.
  static func bytes(
    _ shape: FeedForwardShape, which: SparseWeights, eightBitLayers: Set<Int>
  ) -> Int {
    guard which != .none else { return 0 }
    let copy = Arena.bytes(rows: shape.hiddenWidth, columns: shape.width, shape.storage)
    let words = eightBitWords(shape, !eightBitLayers.isEmpty) ?? 0
    return shape.layers * (which == .both ? 2 : 1) * copy
      + eightBitLayers.count * Arena.bytes(rows: 1, columns: words, .uint16)
  }

  /// What a layer's U takes in 8 bits; for a GPU.
  static func eightBitWords(_ shape: FeedForwardShape, _ allowsEightBits: Bool) -> Int? {
    guard allowsEightBits, shape.storage == .bfloat16, shape.width % 16 == 0 else { return nil }
    return BlockEnergies.eightBitWords(neurons: shape.hiddenWidth, width: shape.width)
  }

  /// U of a layer in 8 bits, after `effective`; nil where nobody wants it.
  func eightBitUp(layer: Int) -> TensorView? { eightBitUp[layer] }

  /// beta = <w, S(w)> / <S(w), S(w)> of every matrix that is thresholded; 1 for the others.
  static func scales(
    of weights: [FeedForwardWeights], which: SparseWeights, on backend: any Backend
  ) throws(ComputeError) -> (up: [Float], down: [Float]) {
    let arena = try Arena(
      byteCount: Arena.bytes(rows: 1, columns: 2), on: backend, purpose: "scales of 2:4 weights")
    let moments = arena.take(rows: 1, columns: 2)
    func scale(of matrix: TensorView) throws(ComputeError) -> Float {
      try backend.run(SoftThresholdMoments(weights: matrix, result: moments))
      let two = try backend.read(moments)
      // Only a matrix whose S(w) vanishes (all magnitudes of every four equal) has no beta.
      return two[1] > 0 ? two[0] / two[1] : 1
    }
    var up: [Float] = []
    var down: [Float] = []
    for layer in weights {
      up.append(which == .none ? 1 : try scale(of: layer.up))
      down.append(which == .both ? try scale(of: layer.down) : 1)
    }
    return (up, down)
  }

  /// Sets the scales, fresh or from a checkpoint.
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
        SoftThreshold(
          weights: weights.up, output: up[layer], scale: upScales[layer],
          eightBitOutput: eightBitUp(layer: layer)))
      if which == .both {
        try backend.run(
          SoftThreshold(weights: weights.down, output: down[layer], scale: downScales[layer]))
      }
      isCurrent[layer] = true
    }
    return (up[layer], which == .both ? down[layer] : weights.down)
  }
}
