extension SparseFeedForward {
  /// How the neurons of a block are chosen.
  public enum Selection: Sendable, Equatable {
    /// The `kept` largest sums over all tokens of the block, from a dense product 1 that is not stored;
    /// statistics are of a few tokens.
    case exact(measuredOn: Int)
    /// The `kept` largest sums over a few tokens of the block.
    case sampled(Int)
    /// 4 of every M neurons by sums over the block, then N of those 4 for every token.
    case venom(n: Int, m: Int)
  }

  /// What the layers of this method share.
  public struct Recipe: Sendable, Equatable {
    /// V.
    public var blockTokens: Int
    /// K of every layer; 0 for one that computes densely.
    public var keptColumns: [Int]
    /// How the neurons are chosen.
    public var selection: Selection
    /// How products 4 and 6 treat the pattern.
    public var weightGradientPattern: WeightGradientPattern
    /// How much the samples of the blocks before and after count in a block's choice; its square for
    /// those beyond.
    public var neighbourWeight: Float
    /// How fast what is remembered of samples follows them; 0 remembers nothing.
    public var memoryRate: Float
    /// Whether columns are chosen by sums of squares of activations.
    public var choosesBySquares: Bool
    /// Whether columns may be chosen by sums of products of 8-bit factors.
    public var allowsEightBits: Bool
    /// How many layers that compute sparsely take their tokens in one order: the first of them routes.
    public var layersPerOrder: Int

    /// See the properties.
    public init(
      blockTokens: Int, keptColumns: [Int], selection: Selection,
      weightGradientPattern: WeightGradientPattern = .exact, neighbourWeight: Float = 0,
      memoryRate: Float = 0, choosesBySquares: Bool = false, allowsEightBits: Bool = false,
      layersPerOrder: Int = 1
    ) {
      self.blockTokens = blockTokens
      self.keptColumns = keptColumns
      self.selection = selection
      self.weightGradientPattern = weightGradientPattern
      self.neighbourWeight = neighbourWeight
      self.memoryRate = memoryRate
      self.choosesBySquares = choosesBySquares
      self.allowsEightBits = allowsEightBits
      self.layersPerOrder = layersPerOrder
    }

    /// The layers that compute densely.
    var denseLayers: [Int] { keptColumns.indices.filter { keptColumns[$0] == 0 } }

    /// Whether columns are chosen also by what earlier samples said.
    var remembers: Bool { memoryRate > 0 }

    /// The layers that remember samples.
    var rememberingLayers: Set<Int> { remembers ? Set(sparseLayers) : [] }

    /// The layers that compute sparsely.
    private var sparseLayers: [Int] { keptColumns.indices.filter { keptColumns[$0] > 0 } }

    /// For each layer, the one whose order of tokens it takes; nil for one that computes densely.
    var leaders: [Int?] {
      var leaders = [Int?](repeating: nil, count: keptColumns.count)
      let sparse = sparseLayers
      for (index, layer) in sparse.enumerated() {
        leaders[layer] = sparse[index - index % layersPerOrder]
      }
      return leaders
    }

    /// The layers whose columns may be chosen by 8 bits: one that computes densely chooses none.
    var eightBitLayers: Set<Int> {
      allowsEightBits ? Set(sparseLayers) : []
    }
  }
}

extension FeedForwardConfiguration {
  /// What a sparse method needs to know, for a sparse mode.
  public func recipe(
    _ mode: FeedForwardMode, shape: FeedForwardShape
  ) -> SparseFeedForward.Recipe {
    precondition(mode != .dense, "a dense mode has no sparse recipe")
    if mode == .paper {
      return SparseFeedForward.Recipe(
        blockTokens: blockTokens,
        keptColumns: Array(repeating: shape.hiddenWidth / venomM * 4, count: shape.layers),
        selection: .venom(n: venomN, m: venomM), weightGradientPattern: weightGradientPattern,
        layersPerOrder: layersPerOrder)
    }
    return SparseFeedForward.Recipe(
      blockTokens: blockTokens,
      keptColumns: (0..<shape.layers).map {
        isDense(layer: $0, of: shape.layers)
          ? 0 : keptColumns(layer: $0, of: shape.layers, hiddenWidth: shape.hiddenWidth)
      },
      selection: selection == .exact
        ? .exact(measuredOn: samples) : .sampled(samples),
      neighbourWeight: Float(neighbourWeight), memoryRate: remembersSamples ? Float(memoryRate) : 0,
      choosesBySquares: chooseBy == .squares,
      allowsEightBits: eightBitChoice, layersPerOrder: layersPerOrder)
  }
}
