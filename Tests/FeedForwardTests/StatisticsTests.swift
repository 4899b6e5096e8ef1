import Compute
import ComputeCPU
import FeedForward
import Testing

/// What a pass reports of its sparsity, against the reference.
@Suite struct StatisticsTests {
  @Test(arguments: Variant.columns + Variant.paper)
  func energyNonzerosDensityDeadNeurons(variant: Variant) throws {
    let network = try variant.network(seed: 5)
    // Some neurons that no token activates: their rows of U vanish.
    let dead = network.weights[0].up.rows(3..<8)
    try network.backend.zero(dead)
    network.stack.weightsChanged()
    network.stack.collectStatistics()
    let result = try network.run()
    let measured = try #require(network.stack.takeStatistics()?.layers.first)
    #expect(network.stack.takeStatistics() == nil)
    #expect(try network.run() == result)  // Measuring changes nothing.

    let configuration = variant.configuration
    let activation = try network.reference().activation
    let pattern = try network.referencePattern()
    var tokens = Array(0..<network.shape.tokens)
    var density =
      Double(pattern.columns[0].count) / Double(network.shape.hiddenWidth)
    if configuration.mode == .paper {
      density = Double(configuration.venomN) / Double(configuration.venomM)
    } else {
      tokens = ReferencePatterns.blocks(pattern.order, size: configuration.blockTokens)
        .flatMap {
          ReferencePatterns.samples(of: $0, count: configuration.samples, halfway: true)
        }
    }
    var (energy, kept, nonzero) = (0.0, 0.0, 0.0)
    for token in tokens {
      for neuron in 0..<network.shape.hiddenWidth {
        let square = activation[token, neuron] * activation[token, neuron]
        energy += square
        kept += square * pattern.mask[token, neuron]
        nonzero += activation[token, neuron] > 0 ? 1 : 0
      }
    }
    let neurons = 0..<network.shape.hiddenWidth
    let deadCount = neurons.count { neuron in tokens.allSatisfy { activation[$0, neuron] == 0 } }
    #expect(deadCount >= 5)
    #expect(abs(measured.energyKept - kept / energy) < 1e-6)
    #expect(abs(measured.nonzeroShare - nonzero / Double(tokens.count * neurons.count)) < 1e-6)
    #expect(abs(measured.density - density) < 1e-12)
    #expect(measured.deadNeurons == deadCount)
    let lists = pattern.columns.map(Set.init)
    let changes = zip(lists.dropFirst(), lists).map { $0.subtracting($1).count }
    let wanted = Double(changes.reduce(0, +)) / Double(max(1, changes.count) * lists[0].count)
    #expect(abs(measured.listChange - wanted) < 1e-12)
    if configuration.clusters > 0 {
      #expect(network.stack.clusterState.sizes[0].reduce(0, +) == neurons.count)
      #expect(network.stack.clusterState.sizes[0].count == configuration.clusters)
    }
  }

  @Test func listsOfNeighbours() {
    let alike = ListOverlap(lists: [1, 2, 3, 1, 2, 3, 3, 2, 1], kept: 3)
    #expect(alike.change == 0 && alike.unionOfFour == 1)
    // Two new of two, one of two, none, then a fifth block: unions of 5 and of 2.
    let moving = ListOverlap(lists: [0, 9, 4, 5, 5, 7, 7, 5, 9, 0], kept: 2)
    #expect(abs(moving.change - 5.0 / 8) < 1e-12)
    #expect(abs(moving.unionOfFour - (5.0 + 2) / 4) < 1e-12)
    let none = ListOverlap(lists: [], kept: 0)
    #expect(none.change == 0 && none.unionOfFour == 1)
  }

  /// Columns of more than 128 rows are summed in stretches.
  @Test(arguments: [20, 128, 300]) func denseAndEmpty(tokens: Int) throws {
    let network = try NetworkUnderTest(
      tokens: tokens, width: 8, hidden: 24, FeedForwardConfiguration())
    try network.stack.switchMode(to: .dense)
    // Some neurons that no token activates.
    try network.backend.zero(network.weights[0].up.rows(5..<9))
    network.stack.weightsChanged()
    network.stack.collectStatistics()
    _ = try network.run()
    let measured = try #require(network.stack.takeStatistics()?.layers.first)
    let activation = try network.reference().activation
    #expect(measured.energyKept == 1 && measured.density == 1)
    let share = Double(activation.values.count { $0 > 0 }) / Double(activation.values.count)
    #expect(abs(measured.nonzeroShare - share) < 1e-6)
    let dead = (0..<24).count { neuron in (0..<tokens).allSatisfy { activation[$0, neuron] == 0 } }
    #expect(dead >= 4 && measured.deadNeurons == dead)

    let silent = try Variant("silent") { _ in }.network()
    try silent.backend.zero(silent.input)
    silent.stack.collectStatistics()
    _ = try silent.run()
    let nothing = try #require(silent.stack.takeStatistics()?.layers.first)
    #expect(nothing.energyKept == 1 && nothing.nonzeroShare == 0 && nothing.deadNeurons == 64)
  }
}
