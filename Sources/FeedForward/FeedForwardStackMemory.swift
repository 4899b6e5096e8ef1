public import Compute

/// What a stack will take, before anything is allocated.
extension FeedForwardStack {
  /// Bytes that a stack holds in a mode, for `krait plan`.
  public static func bytes(
    _ configuration: FeedForwardConfiguration, mode: FeedForwardMode, shape: FeedForwardShape
  ) -> Int {
    guard mode != .dense else { return DenseFeedForward.bytes(shape) }
    let recipe = configuration.recipe(mode, shape: shape)
    return SparseFeedForward.bytes(shape, recipe: recipe)
      + TokenRouter.bytes(
        shape, clusters: configuration.clusters, moves: configuration.movesCentroids)
      + ChoiceMemory.bytes(
        shape, layers: recipe.rememberingLayers, clusters: configuration.clusters)
      + SparseWeightCache.bytes(
        shape, which: configuration.effectiveSparseWeights, eightBitLayers: recipe.eightBitLayers)
  }

  /// Bytes of work memory that the products of a mode take on a backend beside what a stack holds;
  /// nothing is allocated.
  public static func workBytes(
    _ configuration: FeedForwardConfiguration, mode: FeedForwardMode, shape: FeedForwardShape,
    on backend: any MemoryMeter
  ) throws(ComputeError) -> Int {
    guard mode != .dense else { return 0 }
    let recipe = configuration.recipe(mode, shape: shape)
    let blocks = PackedPattern.blocks(tokens: shape.tokens, blockTokens: recipe.blockTokens)
    // Only shapes and strides matter: any aligned address will do.
    func view(_ rows: Int, _ columns: Int, _ type: ElementType) -> TensorView {
      TensorView(address: 4096, rows: rows, columns: columns, elementType: type)
    }
    var bytes = 0
    for kept in Set(recipe.keptColumns) where kept > 0 {
      var pattern = PackedPattern(
        order: nil, columns: view(blocks, kept, .uint16), blockTokens: recipe.blockTokens)
      pattern.isAscending =
        SparseFeedForward.chain(
          of: pattern, recipe: recipe, width: shape.width, on: backend) == nil
      let rows = view(shape.tokens, shape.width, shape.storage)
      let packed = view(shape.tokens, kept, shape.storage)
      let product = KeptProduct(
        input: rows, weights: view(shape.hiddenWidth, shape.width, shape.storage),
        pattern: pattern, output: packed, epilogue: .squaredReLU)
      let gradient = PackedWeightGradient(
        packed: packed, rows: rows, pattern: pattern,
        weightGradient: view(shape.hiddenWidth, shape.width, .float32))
      bytes = max(bytes, try backend.workBytes(product), try backend.workBytes(gradient))
    }
    var (tokens, rows) = (shape.tokens, recipe.blockTokens)
    switch recipe.selection {
    case .venom: return bytes
    case .exact: break
    case .sampled(let samples):
      rows = samples
      tokens = SampleTokens.count(
        tokens: shape.tokens, blockTokens: recipe.blockTokens, samples: samples)
    }
    return max(
      bytes,
      try backend.workBytes(
        BlockEnergies(
          input: view(tokens, shape.width, shape.storage),
          weights: view(shape.hiddenWidth, shape.width, shape.storage), blockRows: rows,
          isTwoOfFour: configuration.effectiveSparseWeights != .none,
          allowsEightBits: recipe.allowsEightBits,
          eightBitInput: SparseScratch.eightBitRows(shape, recipe) == nil
            ? nil : view(tokens, shape.width / 2, .uint16),
          eightBitWeights: SparseWeightCache.eightBitWords(shape, recipe.allowsEightBits)
            .map { view(1, $0, .uint16) },
          sums: view(blocks, shape.hiddenWidth, .float32))))
  }

  /// Bytes that clustering takes for its own time, beside what a stack holds.
  public static func clusteringBytes(
    _ configuration: FeedForwardConfiguration, shape: FeedForwardShape
  ) -> Int {
    configuration.clusters > 0
      ? NeuronClusterer.bytes(shape, clusters: configuration.clusters) : 0
  }
}
