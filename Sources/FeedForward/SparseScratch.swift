import Compute

/// Memory that all layers of a sparse feed-forward network share within a pass.
final class SparseScratch {
  /// Block sums, [blocks, f].
  let sums: TensorView
  /// Sampled mode: which tokens, their inputs and activations.
  let sampledTokens: TensorView
  let sampledInput: TensorView
  let sampledActivation: TensorView
  private let packed: TensorView
  private let wholeDense: TensorView?
  private let secondWholeDense: TensorView?
  private let strided: TensorView?
  private let positions: TensorView?
  private let backend: any Backend
  private let tokens: Int
  private let arena: Arena

  /// Takes only what the recipe's selection needs.
  init(
    shape: FeedForwardShape, recipe: SparseFeedForward.Recipe, on backend: any Backend
  ) throws(ComputeError) {
    self.backend = backend
    tokens = shape.tokens
    let t = shape.tokens
    let f = shape.hiddenWidth
    let blocks = PackedPattern.blocks(tokens: t, blockTokens: recipe.blockTokens)
    let widest = recipe.keptColumns.max() ?? 0
    var sampled = 0
    if case .sampled(let samples) = recipe.selection {
      sampled = SampleTokens.count(
        tokens: t, blockTokens: recipe.blockTokens, samples: samples)
    }
    let needsDense = sampled == 0
    let needsSecond = recipe.weightGradientPattern == .venom && needsDense

    var bytes = Arena.bytes(rows: blocks, columns: f) + Arena.bytes(rows: t, columns: widest)
    bytes += Arena.bytes(rows: 1, columns: sampled, .int32)
    bytes += Arena.bytes(rows: sampled, columns: shape.width)
    bytes += Arena.bytes(rows: sampled, columns: f)
    if needsDense { bytes += Arena.bytes(rows: t, columns: f) }
    if needsSecond {
      bytes += Arena.bytes(rows: t, columns: f) + 2 * Arena.bytes(rows: 1, columns: t, .int32)
    }
    arena = try Arena(byteCount: bytes, on: backend, purpose: "sparse feed-forward scratch")

    sums = arena.take(rows: blocks, columns: f)
    packed = arena.take(rows: t, columns: widest)
    sampledTokens = arena.take(rows: 1, columns: sampled, .int32)
    sampledInput = arena.take(rows: sampled, columns: shape.width)
    sampledActivation = arena.take(rows: sampled, columns: f)
    wholeDense = needsDense ? arena.take(rows: t, columns: f) : nil
    secondWholeDense = needsSecond ? arena.take(rows: t, columns: f) : nil
    strided = needsSecond ? arena.take(rows: 1, columns: t, .int32) : nil
    positions = needsSecond ? arena.take(rows: 1, columns: t, .int32) : nil
    if let positions, case .venom(_, let m) = recipe.selection {
      try backend.write(SparseScratch.stridedPositions(tokens: t, group: m), to: positions)
    }
  }

  /// The packed gradient of the present layer, [T, K].
  func packedGradient(columns: Int) -> TensorView {
    TensorView(address: packed.address, rows: packed.rows, columns: columns)
  }

  /// A whole [T, f] matrix; there is none in the sampled mode.
  var dense: TensorView {
    guard let wholeDense else { preconditionFailure("the sampled mode has no [T, f] matrix") }
    return wholeDense
  }

  /// Another one, for the V:N:M pattern of the transposed products.
  var secondDense: TensorView {
    guard let secondWholeDense else { preconditionFailure("this recipe has one [T, f] matrix") }
    return secondWholeDense
  }

  /// The token order in which every `group` consecutive positions come from far-apart places of
  /// the routed order, so that a group mixes clusters.
  func stridedOrder(of order: TensorView?, group: Int) throws(ComputeError) -> TensorView {
    guard let positions, let strided else { preconditionFailure("no memory for a strided order") }
    guard let order else { return positions }
    // An index is copied as the 4 bytes it is.
    func asRows(_ view: TensorView) -> TensorView {
      TensorView(address: view.address, rows: tokens, columns: 1)
    }
    try backend.run(GatherRows(source: asRows(order), rows: positions, output: asRows(strided)))
    return strided
  }

  /// Position i of the strided order → position in the routed order: column by column through a
  /// matrix of `group` rows.
  static func stridedPositions(tokens: Int, group: Int) -> [Int32] {
    let stretch = (tokens + group - 1) / group
    var result: [Int32] = []
    result.reserveCapacity(tokens)
    for start in 0..<stretch {
      for position in Swift.stride(from: start, to: tokens, by: stretch) {
        result.append(Int32(position))
      }
    }
    return result
  }
}
