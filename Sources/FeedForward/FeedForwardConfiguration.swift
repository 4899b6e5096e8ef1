/// How a feed-forward network computes in one phase of a run.
public enum FeedForwardMode: String, Sendable, CaseIterable, Codable {
  /// All six products dense.
  case dense
  /// The recipe of arXiv 2602.06183: 2:4 soft-thresholded weights, V:N:M activations.
  case paper
  /// Per block of tokens, the neurons with the largest sums; nothing inside is dropped.
  case columns
}

/// How `columns` finds the neurons of a block.
public enum ColumnSelection: String, Sendable, CaseIterable, Codable {
  /// Product 1 is computed for all tokens and neurons, then again for the chosen neurons: only sums
  /// are kept of the first.
  case exact
  /// Product 1 is computed for a few tokens of each block, then for the chosen neurons only.
  case sampled
}

/// What `columns` adds over the tokens of a block to choose its neurons.
public enum ColumnMeasure: String, Sendable, CaseIterable, Codable {
  /// A: how much a neuron does, whichever of the tokens need it.
  case activations
  /// A²: what the block's output would lose with a neuron, its activations times a row of D. One that few
  /// tokens need much outweighs one that many need a little. Which is better differs: LOG.md.
  case squares
}

/// Which weights stand as 2:4 soft-thresholded in the sparse phase.
public enum SparseWeights: String, Sendable, CaseIterable, Codable {
  /// Neither.
  case none
  /// The up projection U.
  case up
  /// Both U and D.
  case both
}

/// How the weight gradients (products 4 and 6) treat the V:N:M pattern in paper mode.
///
/// Products 4 and 6 contract over tokens, and sparse tensor cores skip along the contraction only:
/// a kernel for them needs the pattern of Aᵀ, which V:N:M of A (along neurons) does not give.
public enum WeightGradientPattern: String, Sendable, CaseIterable, Codable {
  /// The exact gradient of the masked function: all that the mask kept. The default, for two
  /// reasons. Packed lists of neurons give these products their saving without a second pattern;
  /// and a gradient that drops tokens the forward pass kept is not the gradient of that pass:
  /// such dropping was measured to cost 0.02 to 0.06 of loss (with columns, at 1/4 and 1/8 kept).
  case exact
  /// V:N:M of Aᵀ, applied to what the mask of A kept: what such a kernel would compute, for
  /// comparison. Tokens are grouped in a strided order, each group from places far apart in the
  /// routed order: neighbours there want the same neurons, and would compete for the same slots.
  case venom
}

/// Everything that decides how the sparse phase of a run computes its feed-forward networks.
public struct FeedForwardConfiguration: Sendable, Equatable, Codable {
  /// What sparse steps use; `dense` turns sparsity off for the whole run.
  public var mode = FeedForwardMode.columns
  /// V: tokens that share one pattern, after routing.
  public var blockTokens = 128
  /// rho: the share of neurons that `columns` keeps, rounded up to `keptMultiple`.
  public var density = 0.125
  /// How the density varies with depth.
  public var profile = DensityProfile.uniform
  /// A density for each layer, overriding `density` and `profile`; empty for those.
  public var densities: [Double] = []
  /// A layer of `columns` whose density is above this computes densely: its sparse products would
  /// be slower. A rule, not a timing, so that a run is the same on every machine. Where the four
  /// products of rows run at 0.85 of the dense rate, the two of weight gradients at 0.55 and the
  /// choice costs a fifth of a product, six dense ones cost as much as density 0.7.
  public var denseAbove = 0.65
  /// K is rounded up to a multiple of this many neurons (a GPU tile); never above f.
  public var keptMultiple = 64
  /// How `columns` finds its neurons.
  public var selection = ColumnSelection.sampled
  /// What `columns` chooses neurons by.
  public var chooseBy = ColumnMeasure.activations
  /// Whether `columns`, exact or sampled, may choose by a product 1 of 8-bit factors, where the backend
  /// has one that is faster: half the cost of as many samples. What is kept is computed as ever.
  public var eightBitChoice = false
  /// s: tokens of each block whose activations choose its neurons, or measure the choice of all.
  public var samples = 8
  /// How much the samples of the blocks before and after count in a block's choice; those of the
  /// blocks beyond count by its square. Neighbours in routed order are alike: lists then change less
  /// from block to block, and carried weight gradients add less.
  public var neighbourWeight = 0.5
  /// How much of what is remembered of the samples of a cluster each step's samples replace: blocks of like
  /// tokens in earlier steps say what a few samples do not. 0 remembers nothing.
  public var memoryRate = 0.0
  /// C: clusters that tokens are routed by; 0 keeps tokens in place. They begin as clusters of neurons.
  public var clusters = 48
  /// How often the centroids that tokens are routed by move to where the tokens are, by one round of
  /// k-means on a step's first micro-batch: in the first step of a phase of `columns` and every so
  /// many-th after it. 0 keeps the centroids of clusters of neurons.
  public var centroidInterval = 0
  /// How many layers that compute sparsely take their tokens in one order: the first of them routes, the
  /// others save that. Their own centroids stay where they are: where a run goes on with fewer layers an
  /// order, layers that followed begin with those of clusters of neurons.
  public var layersPerOrder = 1
  /// Sparse steps between re-clusterings; 0 clusters once, when sparsity is switched on.
  public var reclusterInterval = 0
  /// Which weights are 2:4 soft-thresholded in sparse steps; nil is what `mode` implies:
  /// `up` for paper, `none` for columns.
  public var sparseWeights: SparseWeights?
  /// N of V:N:M: values that a token keeps of the 4 of a group.
  public var venomN = 2
  /// M of V:N:M: neurons in a group, of which a block keeps 4.
  public var venomM = 16
  /// How paper mode computes products 4 and 6.
  public var weightGradientPattern = WeightGradientPattern.exact

  /// The defaults.
  public init() {}

  /// Which weights are 2:4 in sparse steps, with the default of the mode filled in.
  public var effectiveSparseWeights: SparseWeights {
    sparseWeights ?? (mode == .paper ? .up : .none)
  }

  /// Whether columns are chosen also by what earlier samples said of a block's clusters.
  public var remembersSamples: Bool {
    mode == .columns && selection == .sampled && clusters > 0 && memoryRate > 0
  }

  /// Whether what is remembered of samples means the same with other settings: sums over as many tokens, of
  /// the same, for the same clusters.
  public func remembersLike(_ other: FeedForwardConfiguration) -> Bool {
    samples == other.samples && chooseBy == other.chooseBy && blockTokens == other.blockTokens
      && layersPerOrder == other.layersPerOrder
  }

  /// Bytes of a checkpoint that hold what is remembered of samples.
  public func rememberedBytes(layers: Int, hiddenWidth: Int) -> Int {
    guard remembersSamples else { return 0 }
    let choosing = (0..<layers).count { !isDense(layer: $0, of: layers) }
    return choosing * clusters * hiddenWidth * MemoryLayout<Float>.stride
  }

  /// Whether centroids ever move.
  public var movesCentroids: Bool { mode == .columns && clusters > 0 && centroidInterval > 0 }

  /// The density of a layer of `columns`, of so many.
  public func density(layer: Int, of layers: Int) -> Double {
    densities.isEmpty ? profile.density(density, layer: layer, of: layers) : densities[layer]
  }

  /// Whether a layer of `columns` computes densely also in sparse steps.
  public func isDense(layer: Int, of layers: Int) -> Bool {
    mode == .columns && density(layer: layer, of: layers) > denseAbove
  }

  /// K for a layer: kept neurons of each block in `columns` mode.
  public func keptColumns(layer: Int, of layers: Int, hiddenWidth: Int) -> Int {
    let wanted = Int((density(layer: layer, of: layers) * Double(hiddenWidth)).rounded(.up))
    let rounded = (max(wanted, 1) + keptMultiple - 1) / keptMultiple * keptMultiple
    return min(rounded, hiddenWidth)
  }

  /// One sentence for every setting that cannot work with this model; empty when all is well.
  public func problems(width: Int, hiddenWidth: Int, layers: Int) -> [String] {
    guard mode != .dense else { return [] }
    var found: [String] = []
    func check(_ holds: Bool, _ sentence: @autoclosure () -> String) {
      if !holds { found.append(sentence()) }
    }
    check(blockTokens >= 1, "feedForward.blockTokens is \(blockTokens); it must be at least 1")
    check(samples >= 1, "feedForward.samples is \(samples); it must be at least 1")
    check(
      samples <= max(1, blockTokens),
      "feedForward.samples is \(samples), more than the \(blockTokens) tokens of a block; "
        + "lower it or raise feedForward.blockTokens")
    check(
      neighbourWeight >= 0 && neighbourWeight <= 1,
      "feedForward.neighbourWeight is \(neighbourWeight); it must be from 0 to 1")
    check(
      memoryRate >= 0 && memoryRate <= 1,
      "feedForward.memoryRate is \(memoryRate); it must be from 0 (nothing is remembered) to 1")
    check(
      layersPerOrder >= 1,
      "feedForward.layersPerOrder is \(layersPerOrder); it must be at least 1, which is an order for "
        + "every layer")
    check(keptMultiple >= 1, "feedForward.keptMultiple is \(keptMultiple); it must be at least 1")
    check(
      density > 0 && density <= 1,
      "feedForward.density is \(density); it must be above 0 and at most 1")
    check(
      denseAbove > 0 && denseAbove <= 1,
      "feedForward.denseAbove is \(denseAbove); it must be above 0 and at most 1")
    check(
      densities.isEmpty || densities.count == layers,
      "feedForward.densities has \(densities.count) entries for \(layers) layers; "
        + "give one for each layer or none")
    check(
      densities.allSatisfy { $0 > 0 && $0 <= 1 },
      "feedForward.densities \(densities) must all be above 0 and at most 1")
    check(
      clusters >= 0 && clusters <= hiddenWidth,
      "feedForward.clusters is \(clusters); it must be between 0 and the \(hiddenWidth) neurons")
    check(
      reclusterInterval >= 0,
      "feedForward.reclusterInterval is \(reclusterInterval); it must be 0 (once) or more")
    check(
      centroidInterval >= 0,
      "feedForward.centroidInterval is \(centroidInterval); it must be 0 (never) or more")
    check(
      reclusterInterval == 0 || !movesCentroids,
      "feedForward.reclusterInterval \(reclusterInterval) would take the centroids back that "
        + "feedForward.centroidInterval \(centroidInterval) moves; set one of them to 0")
    check(
      hiddenWidth <= 65536,
      "model.hiddenWidth is \(hiddenWidth); sparse modes index neurons with 16 bits, 65536 at most")
    if mode == .paper {
      check(
        venomM >= 4 && hiddenWidth % venomM == 0,
        "feedForward.venomM is \(venomM); it must be at least 4 and divide the "
          + "\(hiddenWidth) neurons")
      check((1...4).contains(venomN), "feedForward.venomN is \(venomN); it must be 1, 2, 3 or 4")
    }
    if effectiveSparseWeights != .none {
      check(
        width % 4 == 0,
        "model.width is \(width); 2:4 weights need a multiple of 4 "
          + "(or set feedForward.sparseWeights = \"none\")")
    }
    return found
  }
}
