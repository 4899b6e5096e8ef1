/// Every case of every operation: small awkward ones for checks, large ones for benchmarks.
public enum CaseList {
  /// Small cases of all operations, a few thousand: odd sizes, slices, ties, signed zeros.
  public static var small: [OperationCase] {
    matrixMultiply + embedding + rmsNorm + rotaryEmbedding + rotaryProduct + attention
      + squaredReLU
      + crossEntropy + sumOfSquares + adamW + routeTokens + moveCentroids + placeClusters
      + sampleTokens
      + gatherRows
      + blockSums + blockEnergies + selectColumns + rememberSums + alignColumns + packColumns
      + maskFours
      + keptProduct
      + packedProduct
      + packedWeightGradient + transposedVenomMask + softThreshold + activationStatistics
      + convertElements
  }

  /// Cases at sizes that tensor cores want, for backends whose kernels take other paths there:
  /// whole tiles, several of them, short last ones. Double-precision references take seconds.
  public static var tiles: [OperationCase] {
    let sparse = PatternShape.tiles.flatMap { shape in
      EpilogueKind.allCases.map { keptProduct(shape, epilogue: $0) }
        + [.none, .separate, .output].map { packedProduct(shape, addend: $0) }
        + [packedWeightGradient(shape), packColumns(shape), unpackColumns(shape)]
    }
    let chains = PatternShape.chains.map { packedWeightGradient($0) } + carriedWeightGradients
    return productTiles + rotaryProductTiles + attentionTiles + sparse + chains + blockEnergyTiles
      + [
        embeddingBackward(tokens: 1500, vocabulary: 11, width: 40),
        embeddingBackward(tokens: 3000, vocabulary: 70_000, width: 24),
        rmsNormForward(rows: 37, width: 1030), rmsNormBackward(rows: 611, width: 250),
        crossEntropy(rows: 19, vocabulary: 16_385, gradientScale: 0.25),
        rmsNormForward(rows: 37, width: 768), rmsNormForward(rows: 5, width: 4096),
        rmsNormBackward(rows: 2611, width: 768), rmsNormBackward(rows: 7, width: 4096),
        crossEntropy(rows: 19, vocabulary: 16_384, gradientScale: 0.25),
        crossEntropy(rows: 9, vocabulary: 1000, gradientScale: 1, deviation: 30),
        rotary(sequences: 2, length: 33, heads: 3, headWidth: 64, inverse: false),
        rotary(sequences: 2, length: 33, heads: 3, headWidth: 128, inverse: true),
        sumOfSquares(rows: 1, columns: 100_000),
        adamW(
          count: 8192, step: 3, weightDecay: 0.1, withWeights: false),
        routeTokens(tokens: 3000, clusters: 300), routeTokens(tokens: 16_384, clusters: 64),
        routeTokens(tokens: 70_000, clusters: 16),
        // Deeper than the ring of hopper/route_tokens.cu, and more tiles than a GPU has multiprocessors.
        routeTokens(tokens: 700, clusters: 192, width: 520, isPlaced: true),
        routeTokens(tokens: 17_100, clusters: 100, width: 264, isPlaced: true),
        moveCentroids(tokens: 5000, clusters: 48, width: 768, fewest: 16),
        moveCentroids(tokens: 3000, clusters: 300, width: 264, fewest: 8),
        selectColumns(blocks: 3, groupWidth: 16_384, groups: 1, keep: 2048),
        selectColumns(blocks: 3, groupWidth: 8192, groups: 1, keep: 1024),
        selectColumns(
          blocks: 5, groupWidth: 4096, groups: 1, keep: 512, .ties(5 * 4096, seed: 3), "ties",
          neighbourWeight: 0.5),
        selectColumns(
          blocks: 3, groupWidth: 4001, groups: 1, keep: 512, .ties(3 * 4001, seed: 2), "ties"),
        selectColumns(
          blocks: 3, groupWidth: 9001, groups: 1, keep: 4000,
          .ties(3 * 9001, seed: 1, nonNegative: true), "ties"),
        selectColumns(blocks: 2, groupWidth: 20_000, groups: 1, keep: 2560),
        gatherRows(sources: 25, rows: 70, columns: 1224, slicing: .aligned),
        blockSums(rows: 300, columns: 1030, blockRows: 128),
        blockSums(rows: 300, columns: 1032, blockRows: 128),
        blockSums(rows: 97, columns: 72, blockRows: 8),
        transposedVenomMask(tokens: 150, neurons: 70, blockNeurons: 32, keep: 2, groupTokens: 16),
        adamW(count: 5001, step: 3, weightDecay: 0.1, withWeights: true),
      ]
  }

  /// Sizes of large cases.
  public struct Size: Sendable {
    /// T, tokens of a micro-batch.
    public var tokens: Int
    /// d, model width.
    public var width: Int
    /// f, neurons.
    public var hidden: Int
    /// K, kept neurons of a block.
    public var kept: Int
    /// V, tokens of a block.
    public var blockTokens: Int
    /// Tokens of a sequence, for attention.
    public var sequence: Int

    /// See the properties.
    public init(
      tokens: Int, width: Int, hidden: Int, kept: Int, blockTokens: Int, sequence: Int
    ) {
      self.tokens = tokens
      self.width = width
      self.hidden = hidden
      self.kept = kept
      self.blockTokens = blockTokens
      self.sequence = sequence
    }
  }

  /// A dense product of the feed-forward network and the sparse operation that stands for it.
  public struct ProductPair: Sendable {
    /// Which of the six products, and what it computes.
    public let name: String
    /// On everything.
    public let dense: OperationCase
    /// On what the pattern keeps.
    public let sparse: OperationCase
  }

  /// The six products of the feed-forward network, dense and on packed data.
  public static func products(_ size: Size) -> [ProductPair] {
    let t = size.tokens
    let f = size.hidden
    let d = size.width
    let shape = PatternShape(
      tokens: t, blockTokens: size.blockTokens, neurons: f, kept: size.kept, width: d)
    return [
      ProductPair(
        name: "1  A = relu(X Uᵀ)²",
        dense: product(t, f, d, ProductOptions(transposeRight: true, epilogue: .squaredReLU)),
        sparse: keptProduct(shape, epilogue: .squaredReLU)),
      ProductPair(
        name: "2  Y = A D + R", dense: product(t, d, f, ProductOptions(addend: .separate)),
        sparse: packedProduct(shape, addend: .separate)),
      ProductPair(
        name: "3  dH = dY Dᵀ ⊙ 2 sqrt(A)",
        dense: product(t, f, d, ProductOptions(transposeRight: true, epilogue: .timesTwoSqrt)),
        sparse: keptProduct(shape, epilogue: .timesTwoSqrt)),
      ProductPair(
        name: "4  dD += Aᵀ dY",
        dense: product(f, d, t, ProductOptions(transposeLeft: true, addend: .output, isWide: true)),
        sparse: packedWeightGradient(shape)),
      ProductPair(
        name: "5  dX = dH U", dense: product(t, d, f, ProductOptions()),
        sparse: packedProduct(shape, addend: .none)),
      ProductPair(
        name: "6  dU += dHᵀ X",
        dense: product(f, d, t, ProductOptions(transposeLeft: true, addend: .output, isWide: true)),
        sparse: packedWeightGradient(shape)),
    ]
  }

  /// One large case of every other operation.
  public static func large(_ size: Size) -> [OperationCase] {
    let t = size.tokens
    let f = size.hidden
    let d = size.width
    let shape = PatternShape(
      tokens: t, blockTokens: size.blockTokens, neurons: f, kept: size.kept, width: d)
    let heads = AttentionShape(
      sequences: max(1, t / size.sequence), queryLength: size.sequence,
      keyLength: size.sequence, heads: max(1, d / 64), keyValueHeads: max(1, d / 64),
      headWidth: 64)
    return [
      embeddingForward(tokens: t, vocabulary: 8192, width: d),
      embeddingBackward(tokens: t, vocabulary: 8192, width: d),
      rmsNormForward(rows: t, width: d), rmsNormBackward(rows: t, width: d),
      rotary(
        sequences: max(1, t / size.sequence), length: size.sequence, heads: max(1, d / 64),
        headWidth: 64),
      attentionForward(heads), attentionBackward(heads, differentiates: false),
      squaredReLUForward(rows: t, columns: f), squaredReLUBackward(rows: t, columns: f),
      crossEntropy(rows: t, vocabulary: 8192, gradientScale: 1 / Float(t)),
      sumOfSquares(rows: f, columns: d), adamW(count: f * d, step: 100, weightDecay: 0.1),
      routeTokens(tokens: t, clusters: 48, width: d),
      sampleTokens(tokens: t, blockTokens: size.blockTokens, samples: 8),
      gatherRows(sources: t, rows: t, columns: d),
      blockSums(rows: t, columns: f, blockRows: size.blockTokens),
      blockEnergies(tokens: t, width: d, neurons: f, blockRows: size.blockTokens),
      selectColumns(
        blocks: (t + size.blockTokens - 1) / size.blockTokens, groupWidth: f, groups: 1,
        keep: size.kept),
      packColumns(shape), unpackColumns(shape), maskFours(rows: t, columns: f / 4 * 4, keep: 2),
      transposedVenomMask(tokens: t, neurons: f, blockNeurons: 64, keep: 2, groupTokens: 16),
      softThreshold(rows: f, columns: d / 4 * 4), softThresholdMoments(rows: f, columns: d / 4 * 4),
      activationStatistics(rows: t, columns: f),
    ]
  }
}
