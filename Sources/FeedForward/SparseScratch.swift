import Compute

/// Memory that all layers of a sparse feed-forward network share within a pass.
final class SparseScratch {
  /// Block sums, [blocks, f].
  let sums: TensorView
  /// Some tokens of each block, their inputs where those need a copy, and activations for statistics.
  let sampledTokens: TensorView
  let sampledInput: TensorView
  let sampledActivation: TensorView
  /// A [T, d] matrix in the order of positions, for storage in bfloat16: that is a GPU, whose products
  /// read rows in order faster than through an order; and for dense products of rows in that order.
  /// nil elsewhere.
  let orderedRows: TensorView?
  /// The rows that columns are chosen by, in 8 bits, where they lie evenly; for a GPU.
  let eightBitCopy: RMSNorm.EightBitCopy?
  private let packed: TensorView
  private let wholeDense: TensorView?
  private let secondWholeDense: TensorView?
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
    let sizes = Sizes(shape, recipe)
    let t = shape.tokens
    let f = shape.hiddenWidth
    arena = try Arena(
      byteCount: SparseScratch.bytes(shape, recipe: recipe), on: backend,
      purpose: "sparse feed-forward scratch")

    sums = arena.take(rows: sizes.blocks, columns: f)
    orderedRows =
      sizes.needsOrderedRows ? arena.take(rows: t, columns: shape.width, shape.storage) : nil
    if let (rows, step) = SparseScratch.eightBitRows(shape, recipe) {
      eightBitCopy = RMSNorm.EightBitCopy(
        rows: arena.take(rows: rows, columns: shape.width / 2, .uint16), step: step)
    } else {
      eightBitCopy = nil
    }
    packed = arena.take(rows: t, columns: sizes.widest, shape.storage)
    sampledTokens = arena.take(rows: 1, columns: sizes.copied, .int32)
    sampledInput = arena.take(rows: sizes.copied, columns: shape.width, shape.storage)
    sampledActivation = arena.take(rows: sizes.sampled, columns: f, shape.storage)
    wholeDense = sizes.needsDense ? arena.take(rows: t, columns: f, shape.storage) : nil
    secondWholeDense = sizes.needsSecond ? arena.take(rows: t, columns: f, shape.storage) : nil
    positions = sizes.needsSecond ? arena.take(rows: 1, columns: t, .int32) : nil
    if let positions, case .venom(_, let m) = recipe.selection {
      try backend.write(SparseScratch.stridedPositions(tokens: t, group: m), to: positions)
    }
  }

  /// All that an instance allocates.
  static func bytes(_ shape: FeedForwardShape, recipe: SparseFeedForward.Recipe) -> Int {
    let sizes = Sizes(shape, recipe)
    let dense = Arena.bytes(
      rows: shape.tokens, columns: shape.hiddenWidth, shape.storage)
    var bytes =
      Arena.bytes(rows: sizes.blocks, columns: shape.hiddenWidth)
      + Arena.bytes(rows: shape.tokens, columns: sizes.widest, shape.storage)
      + Arena.bytes(rows: 1, columns: sizes.copied, .int32)
      + Arena.bytes(rows: sizes.copied, columns: shape.width, shape.storage)
      + Arena.bytes(rows: sizes.sampled, columns: shape.hiddenWidth, shape.storage)
    if sizes.needsOrderedRows {
      bytes += Arena.bytes(rows: shape.tokens, columns: shape.width, shape.storage)
    }
    if let (rows, _) = eightBitRows(shape, recipe) {
      bytes += Arena.bytes(rows: rows, columns: shape.width / 2, .uint16)
    }
    if sizes.needsDense { bytes += dense }
    if sizes.needsSecond {
      bytes += dense + Arena.bytes(rows: 1, columns: shape.tokens, .int32)
    }
    return bytes
  }

  /// How many rows of every layer's input are wanted in 8 bits, and the step from one to the next.
  static func eightBitRows(
    _ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe
  ) -> (rows: Int, step: Int)? {
    guard !recipe.eightBitLayers.isEmpty, shape.storage == .bfloat16, shape.width % 16 == 0 else {
      return nil
    }
    switch recipe.selection {
    case .venom: return nil
    case .exact: return (shape.tokens, 1)
    case .sampled(let samples):
      return SampleTokens.step(
        tokens: shape.tokens, blockTokens: recipe.blockTokens, samples: samples
      ).map { (shape.tokens / $0, $0) }
    }
  }

  /// What a recipe needs: nothing of size [T, f] with columns.
  private struct Sizes {
    let blocks: Int
    let widest: Int
    let sampled: Int
    /// Sampled tokens whose inputs do not lie evenly.
    let copied: Int
    let needsDense: Bool
    let needsOrderedRows: Bool
    let needsSecond: Bool

    init(_ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe) {
      blocks = PackedPattern.blocks(tokens: shape.tokens, blockTokens: recipe.blockTokens)
      widest = recipe.keptColumns.max() ?? 0
      switch recipe.selection {
      case .sampled(let samples), .exact(let samples):
        sampled = SampleTokens.count(
          tokens: shape.tokens, blockTokens: recipe.blockTokens, samples: samples)
        let step = SampleTokens.step(
          tokens: shape.tokens, blockTokens: recipe.blockTokens, samples: samples)
        copied = step == nil ? sampled : 0
        needsDense = false
        needsSecond = false
      case .venom:
        sampled = 0
        copied = 0
        needsDense = true
        needsSecond = recipe.weightGradientPattern == .venom
      }
      needsOrderedRows = shape.storage == .bfloat16 || needsSecond
    }
  }

  /// The packed gradient of the present layer, [T, K].
  func packedGradient(columns: Int) -> TensorView {
    TensorView(
      address: packed.address, rows: packed.rows, columns: columns,
      elementType: packed.elementType)
  }

  /// A whole [T, f] matrix; there is none with columns.
  var dense: TensorView {
    guard let wholeDense else { preconditionFailure("columns have no [T, f] matrix") }
    return wholeDense
  }

  /// Another one, for the V:N:M pattern of the transposed products.
  var secondDense: TensorView {
    guard let secondWholeDense else { preconditionFailure("this recipe has one [T, f] matrix") }
    return secondWholeDense
  }

  /// The order in which every `group` consecutive positions come from far-apart places of the
  /// routed order, so that a group mixes clusters.
  var stridedOrder: TensorView {
    guard let positions else { preconditionFailure("no memory for a strided order") }
    return positions
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
