import Compute
import ComputeCPU
import FeedForward
import Testing

/// Permuting the tokens of a micro-batch permutes the results when blocks stay whole.
@Suite struct PermutationTests {
  /// In place, exact: tokens move within their blocks, and blocks move as wholes.
  @Test(arguments: [FeedForwardMode.columns, .paper])
  func withinAndBetweenBlocksInPlace(mode: FeedForwardMode) throws {
    let network = try Variant("in place", tokens: 64) {
      $0.mode = mode
      $0.selection = .exact
      $0.clusters = 0
      $0.sparseWeights = SparseWeights.none
    }.network(whole: true)
    var random = TestRandom(3)
    var permutation: [Int] = []
    for block in [2, 0, 3, 1] {
      permutation += shuffled(Array(block * 16..<block * 16 + 16), &random)
    }
    try expectPermuted(network, permutation)
  }

  /// In place, sampled: the samples stand at fixed places, so blocks move as wholes only.
  @Test func betweenBlocksSampled() throws {
    let network = try Variant("sampled", tokens: 64) { $0.clusters = 0 }.network(whole: true)
    try expectPermuted(network, [1, 3, 0, 2].flatMap { Array($0 * 16..<$0 * 16 + 16) })
  }

  /// Routed: as many tokens as a block holds for every key, so that a block is a key, wherever
  /// its tokens were; then any permutation will do.
  @Test(arguments: [FeedForwardMode.columns, .paper], [1, 2, 3] as [UInt64])
  func anyPermutationRouted(mode: FeedForwardMode, seed: UInt64) throws {
    let network = try Variant("routed", tokens: 64) {
      $0.mode = mode
      $0.selection = .exact
      $0.clusters = 4
      $0.sparseWeights = SparseWeights.none
    }.network(seed: seed)
    // Sixteen tokens between each of four pairs of centroids, nearer the first.
    let centroids = network.stack.clusterState.centroids[0]
    let width = network.shape.width
    var random = TestRandom(seed)
    var input: [Float] = []
    for key in [(0, 1), (1, 2), (2, 3), (3, 0)] {
      for _ in 0..<16 {
        for column in 0..<width {
          input.append(
            3 * centroids[key.0 * width + column] + 2 * centroids[key.1 * width + column]
              + 0.01 * random.real())
        }
      }
    }
    try network.backend.write(input, to: network.input)
    _ = try network.run()
    let blocks = ReferencePatterns.blocks(try network.keptOrder(), size: 16)
    #expect(Set(blocks.map { Set($0.map { $0 / 16 }) }) == [[0], [1], [2], [3]])
    try expectPermuted(network, shuffled(Array(0..<64), &random), tolerance: 1e-5)
  }

  private func expectPermuted(
    _ network: NetworkUnderTest, _ permutation: [Int], tolerance: Double = 0
  ) throws {
    let before = try network.run()
    #expect(permutation.sorted() == Array(0..<network.shape.tokens))
    for view in [network.input, network.residual, network.outputGradient] {
      try network.backend.write(
        permuted(try network.backend.read(view), permutation), to: view)
    }
    let after = try network.run()
    for (old, new) in [
      (permuted(before.output, permutation), after.output),
      (permuted(before.inputGradient, permutation), after.inputGradient),
      (before.upGradient, after.upGradient), (before.downGradient, after.downGradient),
    ] {
      #expect(Matrix(1, old.count, floats: old).error(of: new) <= tolerance)
    }
  }

  private func permuted(_ values: [Float], _ permutation: [Int]) -> [Float] {
    let width = values.count / permutation.count
    return permutation.flatMap { Array(values[$0 * width..<($0 + 1) * width]) }
  }

  private func shuffled(_ items: [Int], _ random: inout TestRandom) -> [Int] {
    var items = items
    for index in items.indices.dropFirst() { items.swapAt(index, random.below(index + 1)) }
    return items
  }
}
