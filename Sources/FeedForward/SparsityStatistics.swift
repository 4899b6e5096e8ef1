/// What a forward pass saw of one layer's sparsity.
public struct LayerSparsity: Sendable, Equatable, Codable {
  /// Σ (A ⊙ mask)² / Σ A²; 1 when A is 0. When A itself is never computed, from tokens halfway between
  /// the sampled ones, which had no say in the choice.
  public var energyKept = 1.0
  /// Share of A's entries above zero, before the mask; of those few tokens when A itself is
  /// never computed.
  public var nonzeroShare = 0.0
  /// Share of A's entries that the mask may keep.
  public var density = 1.0
  /// Neurons that no token activated; none of those few, when A itself is never computed: an upper
  /// bound then.
  public var deadNeurons = 0
  /// Mean share of a token block's kept neurons that the block before did not keep.
  public var listChange = 0.0
  /// Mean number of different neurons that four neighbouring blocks keep, over K.
  public var listUnion = 1.0

  /// All kept, nothing measured.
  public init() {}
}

/// Statistics of all layers, filled by the next forward pass.
public struct SparsityStatistics: Sendable, Equatable {
  /// One entry per layer.
  public var layers: [LayerSparsity]

  /// Empty statistics for a number of layers.
  public init(layers: Int) {
    self.layers = Array(repeating: LayerSparsity(), count: layers)
  }
}
