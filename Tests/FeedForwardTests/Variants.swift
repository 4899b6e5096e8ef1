import FeedForward

/// A configuration of the sparse feed-forward network at a size, with a name for test reports.
struct Variant: Sendable, CustomStringConvertible {
  var description: String
  var configuration: FeedForwardConfiguration
  var tokens = 45
  var width = 12
  var hidden = 64

  init(
    _ name: String, tokens: Int = 45, _ set: (inout FeedForwardConfiguration) -> Void
  ) {
    description = name
    self.tokens = tokens
    configuration = FeedForwardConfiguration()
    configuration.blockTokens = 16
    configuration.keptMultiple = 4
    configuration.denseAbove = 1
    configuration.density = 0.25
    configuration.samples = 4
    configuration.clusters = 5
    // Laws about single blocks; a variant of its own looks at neighbours.
    configuration.neighbourWeight = 0
    set(&configuration)
  }

  /// A network of this variant, clustered and switched to its sparse mode.
  func network(seed: UInt64 = 1, whole: Bool = false, threads: Int = 2) throws -> NetworkUnderTest {
    let network = try NetworkUnderTest(
      tokens: tokens, width: width, hidden: hidden, configuration, seed: seed, whole: whole,
      threads: threads)
    try network.startSparse()
    return network
  }

  /// Columns, with and without routing, short and tiny last blocks, 2:4 weights.
  static let columns: [Variant] = [
    Variant("columns exact, in place") {
      $0.selection = .exact
      $0.clusters = 0
    },
    Variant("columns exact, routed") { $0.selection = .exact },
    Variant("columns sampled, in place") { $0.clusters = 0 },
    Variant("columns sampled, routed") { _ in },
    Variant("columns sampled, routed, with neighbours") { $0.neighbourWeight = 0.5 },
    Variant("columns exact, by squares") {
      $0.selection = .exact
      $0.chooseBy = .squares
    },
    Variant("columns sampled, by squares, with neighbours") {
      $0.chooseBy = .squares
      $0.neighbourWeight = 0.5
    },
    Variant("columns sampled, 8 bits allowed") { $0.eightBitChoice = true },
    Variant("columns sampled, a last block of 2 below 4 samples", tokens: 50) { _ in },
    Variant("columns sampled, one block, short", tokens: 13) { $0.blockTokens = 128 },
    Variant("columns exact, blocks of one token", tokens: 9) {
      $0.selection = .exact
      $0.blockTokens = 1
      $0.samples = 1
    },
    Variant("columns sampled, one cluster") { $0.clusters = 1 },
    Variant("columns sampled, 2:4 U") { $0.sparseWeights = .up },
    Variant("columns exact, 2:4 U and D") {
      $0.selection = .exact
      $0.sparseWeights = .both
    },
  ]

  /// The paper's recipe, N and M varied, with each choice of 2:4 weights and weight gradients.
  static let paper: [Variant] = [
    paper("2:16, dense weights, in place") {
      $0.clusters = 0
      $0.sparseWeights = SparseWeights.none
    },
    paper("2:16, dense weights, routed") { $0.sparseWeights = SparseWeights.none },
    paper("2:16, 2:4 U") { $0.sparseWeights = .up },
    paper("2:16, 2:4 U and D") { $0.sparseWeights = .both },
    paper("the default weights") { _ in },
    paper("2:4") { $0.venomM = 4 },
    paper("1:8") {
      $0.venomM = 8
      $0.venomN = 1
    },
    paper("4:8, nothing dropped inside") {
      $0.venomM = 8
      $0.venomN = 4
      $0.sparseWeights = SparseWeights.none
    },
    paper("3:32") {
      $0.venomM = 32
      $0.venomN = 3
    },
    paper("2:16 of A transposed, dense weights, in place") {
      $0.weightGradientPattern = .venom
      $0.clusters = 0
      $0.sparseWeights = SparseWeights.none
    },
    paper("2:16 of A transposed, 2:4 U and D, routed") {
      $0.weightGradientPattern = .venom
      $0.sparseWeights = .both
    },
    paper("2:8 of A transposed, dense weights, whole groups", tokens: 48) {
      $0.weightGradientPattern = .venom
      $0.venomM = 8
      $0.sparseWeights = SparseWeights.none
    },
  ]

  private static func paper(
    _ name: String, tokens: Int = 45, _ set: (inout FeedForwardConfiguration) -> Void
  ) -> Variant {
    Variant("paper, " + name, tokens: tokens) {
      $0.mode = .paper
      set(&$0)
    }
  }
}
