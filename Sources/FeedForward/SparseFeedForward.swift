public import Compute

/// The column and the paper feed-forward network: one pattern per token block, packed values.
///
/// Both keep, per block of V tokens, a list of neurons, and compute products 2, 4, 5, 6 on packed
/// values alone; product 3 is computed for kept entries only. They differ in how the list is
/// chosen and in what is dropped inside it. Columns, sampled or exact, keep no [T, f] matrix, but
/// for layers of such a density that they compute densely.
public final class SparseFeedForward: FeedForwardMethod {
  let backend: any Backend
  let shape: FeedForwardShape
  let recipe: Recipe
  private let router: TokenRouter
  let memory: ChoiceMemory?
  let sparseWeights: SparseWeightCache
  var saved: [SavedActivations] = []
  private(set) var orders: TokenOrders
  let scratch: SparseScratch
  private let denseLayers: DenseLayers?
  let probe: StatisticsProbe
  private let arena: Arena

  public var statistics: SparsityStatistics?

  /// Allocates what all layers keep, and the scratch memory they share.
  public init(
    shape: FeedForwardShape, recipe: Recipe, router: TokenRouter,
    memory: ChoiceMemory? = nil, sparseWeights: SparseWeightCache, on backend: any Backend
  ) throws(ComputeError) {
    precondition(recipe.keptColumns.count == shape.layers, "one K for each layer")
    self.backend = backend
    self.shape = shape
    self.recipe = recipe
    self.router = router
    self.memory = memory
    self.sparseWeights = sparseWeights
    let blocks = PackedPattern.blocks(tokens: shape.tokens, blockTokens: recipe.blockTokens)
    arena = try Arena(
      byteCount: SparseFeedForward.savedBytes(shape, recipe: recipe), on: backend,
      purpose: "packed feed-forward activations")
    orders = TokenOrders(shape, recipe, from: arena)
    var own: [SavedActivations] = []
    for kept in SparseFeedForward.heldColumns(shape, recipe) {
      own.append(
        SavedActivations(
          tokens: shape.tokens, blocks: blocks, kept: kept, storage: shape.storage, from: arena))
    }
    saved = recipe.keptColumns.enumerated().map { layer, kept in
      own[layer % shape.heldLayers].narrowed(to: kept)
    }
    scratch = try SparseScratch(shape: shape, recipe: recipe, on: backend)
    denseLayers = try DenseLayers(recipe.denseLayers, shape: shape, on: backend)
    probe = try StatisticsProbe(hiddenWidth: shape.hiddenWidth, on: backend)
  }

  /// All that an instance allocates.
  static func bytes(_ shape: FeedForwardShape, recipe: Recipe) -> Int {
    savedBytes(shape, recipe: recipe) + SparseScratch.bytes(shape, recipe: recipe)
      + StatisticsProbe.bytes(hiddenWidth: shape.hiddenWidth)
      + DenseLayers.bytes(recipe.denseLayers, shape: shape)
  }

  private static func savedBytes(_ shape: FeedForwardShape, recipe: Recipe) -> Int {
    let blocks = PackedPattern.blocks(tokens: shape.tokens, blockTokens: recipe.blockTokens)
    return heldColumns(shape, recipe).reduce(TokenOrders.bytes(shape, recipe)) {
      $0
        + SavedActivations.bytes(
          tokens: shape.tokens, blocks: blocks, kept: $1, storage: shape.storage)
    }
  }

  /// K of everything that is held: of every layer, or of the widest that take turns.
  private static func heldColumns(_ shape: FeedForwardShape, _ recipe: Recipe) -> [Int] {
    shape.heldLayers == shape.layers
      ? recipe.keptColumns : [recipe.keptColumns.max() ?? 0]
  }

  public var savedBytesPerLayer: Int {
    (arena.byteCount + DenseLayers.bytes(recipe.denseLayers, shape: shape)) / max(shape.layers, 1)
  }

  public func weightsChanged() { sparseWeights.weightsChanged() }

  /// The neurons that the last forward pass kept in a layer: uint16 [blocks, K].
  public func columns(layer: Int) -> TensorView { saved[layer].columns }

  /// The order of tokens in the last forward pass of a layer, or nil when they stayed in place.
  public func order(layer: Int) -> TensorView? {
    orders.order(layer)
  }

  public func route(
    layer: Int, hidden: TensorView, gain: TensorView?
  ) throws(ComputeError) -> TensorView? {
    if let denseLayers, denseLayers.holds(layer) { return nil }
    if orders.leads(layer) {
      let (order, marks) = orders.memory(of: layer)
      let isRouted = try router.route(
        layer: layer, hidden: hidden, gain: gain, order: order, marks: marks)
      orders.setRouted(layer, isRouted)
    }
    return orders.order(layer)
  }

  /// Where columns may be chosen by 8 bits, for the rows that they are chosen by.
  public func eightBitCopy(layer: Int) -> RMSNorm.EightBitCopy? {
    if let denseLayers, denseLayers.holds(layer) { return nil }
    return scratch.eightBitCopy
  }

  public func forward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, hasCopy: Bool,
    residual: TensorView, output: TensorView
  ) throws(ComputeError) {
    let (up, down) = try sparseWeights.effective(layer: layer, weights)
    if let denseLayers, denseLayers.holds(layer) {
      let measured = try denseLayers.forward(
        layer: layer, weights: weights.replacing(up: up, down: down), input: input,
        residual: residual, output: output, measures: statistics != nil)
      if let measured { statistics?.layers[layer] = measured }
      return
    }
    // Nobody is routed by the centroids of a layer that follows another.
    if orders.leads(layer) { try router.findMoves(layer: layer, input: input) }
    try activate(
      layer, up: up, input: input, hasCopy: hasCopy, isFirst: true, measures: statistics != nil)
    try backend.run(
      PackedProduct(
        packed: saved[layer].packed, weights: down, pattern: pattern(layer), output: output,
        adding: residual))
  }

  public func recompute(
    layer: Int, weights: FeedForwardWeights, input: TensorView, hasCopy: Bool
  ) throws(ComputeError) {
    let (up, down) = try sparseWeights.effective(layer: layer, weights)
    if let denseLayers, denseLayers.holds(layer) {
      return try denseLayers.recompute(
        layer: layer, weights: weights.replacing(up: up, down: down), input: input)
    }
    try activate(
      layer, up: up, input: input, hasCopy: hasCopy, isFirst: false, measures: false)
  }

  /// Select, and product 1: all that the backward pass needs beside the order. First: not again.
  private func activate(
    _ layer: Int, up: TensorView, input: TensorView, hasCopy: Bool, isFirst: Bool,
    measures: Bool
  ) throws(ComputeError) {
    let pattern = pattern(layer).inPlace
    let packed = saved[layer].packed
    switch recipe.selection {
    case .sampled(let samples), .exact(measuredOn: let samples):
      try chooseColumns(
        layer, up: up, input: input, eightBitInput: hasCopy ? scratch.eightBitCopy?.rows : nil,
        pattern: pattern, isFirst: isFirst)
      try backend.run(
        KeptProduct(
          input: input, weights: up, pattern: pattern, output: packed, epilogue: .squaredReLU))
      if measures { try measureSamples(samples, layer: layer, up: up, input: input) }
    case .venom(let n, let m):
      let dense = try denseActivation(up: up, input: input)
      try select(from: dense, groupWidth: m, pattern: pattern)
      try backend.run(PackColumns(values: dense, pattern: pattern, packed: packed))
      if n < 4 { try backend.run(MaskFours(values: packed, keep: n)) }
      if measures { try measure(dense, layer: layer, packed: packed) }
    }
  }

  /// Where layers are held, and products read rows in order; with recomputation the order may not be known
  /// yet when dY is made.
  public func outputGradientCopy(layer: Int) -> RMSNorm.OrderedCopy? {
    if let denseLayers, denseLayers.holds(layer) { return nil }
    guard shape.heldLayers == shape.layers, let order = order(layer: layer),
      let rows = scratch.orderedRows
    else { return nil }
    return RMSNorm.OrderedCopy(order: order, rows: rows)
  }

  public func backward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, outputGradient: TensorView,
    hasCopy: Bool, inputGradient: TensorView
  ) throws(ComputeError) {
    let (up, down) = try sparseWeights.effective(layer: layer, weights)
    if let denseLayers, denseLayers.holds(layer) {
      return try denseLayers.backward(
        layer: layer, weights: weights.replacing(up: up, down: down), input: input,
        outputGradient: outputGradient, inputGradient: inputGradient)
    }
    let pattern = pattern(layer)
    let packed = saved[layer].packed
    let gradient = scratch.packedGradient(columns: packed.columns)
    let outputRows = try inOrder(outputGradient, pattern, isThere: hasCopy)
    try backend.run(
      KeptProduct(
        input: outputRows.values, weights: down, pattern: outputRows.pattern, output: gradient,
        epilogue: .timesTwoSqrt(packed)))
    if recipe.weightGradientPattern == .venom, case .venom(let n, let m) = recipe.selection {
      try venomWeightGradients(
        n: n, m: m, weights: weights, pattern: pattern, packed: packed, gradient: gradient,
        input: input, outputGradient: outputRows.values)
    } else {
      try backend.run(
        PackedWeightGradient(
          packed: packed, rows: outputRows.values, pattern: outputRows.pattern,
          weightGradient: weights.downGradient))
      try backend.run(
        PackedWeightGradient(
          packed: gradient, rows: input, pattern: pattern.inPlace,
          weightGradient: weights.upGradient))
    }
    try backend.run(
      PackedProduct(
        packed: gradient, weights: up, pattern: pattern, output: inputGradient))
  }

  // MARK: Parts of the forward pass

  func pattern(_ layer: Int) -> PackedPattern {
    var pattern = PackedPattern(
      order: orders.order(layer), columns: saved[layer].columns, blockTokens: recipe.blockTokens)
    pattern.isAscending = chain(of: pattern) == nil
    return pattern
  }

  /// Blocks of a chain of aligned lists; nil when lists ascend. The fours of V:N:M are neighbours
  /// in ascending lists alone.
  static func chain(
    of pattern: PackedPattern, recipe: Recipe, width: Int, on backend: any Backend
  ) -> Int? {
    if case .venom = recipe.selection { return nil }
    return backend.alignment(of: pattern, width: width)
  }

  func chain(of pattern: PackedPattern) -> Int? {
    SparseFeedForward.chain(of: pattern, recipe: recipe, width: shape.width, on: backend)
  }

  /// Rows [T, d] in the order of positions, and the pattern that says so, where that is faster; in
  /// scratch memory until the next call.
  private func inOrder(
    _ values: TensorView, _ pattern: PackedPattern, isThere: Bool
  ) throws(ComputeError) -> (values: TensorView, pattern: PackedPattern) {
    guard let order = pattern.order, let rows = scratch.orderedRows else {
      return (values, pattern)
    }
    if !isThere { try backend.run(GatherRows(source: values, rows: order, output: rows)) }
    return (rows, pattern.inPlace)
  }

  private func denseActivation(
    up: TensorView, input: TensorView
  ) throws(ComputeError) -> TensorView {
    let dense = scratch.dense
    try backend.run(
      MatrixMultiply(
        input, up, transposeRight: true, isRightTwoOfFour: sparseWeights.which != .none,
        into: dense, epilogue: .squaredReLU))
    return dense
  }
}

extension PackedPattern {
  /// The same lists for rows that already lie in the order of positions.
  var inPlace: PackedPattern {
    var pattern = self
    pattern.order = nil
    return pattern
  }
}
